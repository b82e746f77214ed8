"""Invented texts that services are asked about."""

TEXTS = [
    "Aspirin may cause gastric ulcers in patients with diabetes.",
    "Mutations of BRCA1 raise the risk of breast cancer. " * 7,
    "Cisplatin was toxic to the kidneys of rats; metformin was not.",
    "β-Blockers lower the blood pressure – even in naïve patients 👩‍⚕️ with asthma.",
    "Lithium.",
    "No drug was given\n\nand nothing happened.",
]
