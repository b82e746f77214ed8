// Colours of types, the same as in the HTML files that `biobert convert` writes.

const HUES = new Map(Object.entries({ Disease: 8, Chemical: 205, Gene: 130, Species: 275, Anatomy: 38 }));
const OTHER_HUES = [330, 175, 60, 240, 95, 300, 20, 150];

/** A function that gives an element the colour of a label. */
export function coloursOf(labels) {
  const others = [...new Set(labels)].filter((one) => !HUES.has(one)).sort();
  const hue = (label) => HUES.get(label) ?? OTHER_HUES[others.indexOf(label) % OTHER_HUES.length];
  return (made, label) => {
    made.style.setProperty("--hue", hue(label));
    return made;
  };
}
