// An invented abstract.

export const EXAMPLE = `Empagliflozin and the failing heart: an invented cohort
In patients with type 2 diabetes and chronic heart failure, empagliflozin lowered the risk of hospital admission, while metformin alone did not. Raised levels of BNP and interleukin-6 in serum went along with renal insufficiency. In rats, the drug restored the expression of SIRT1 in the left ventricle and reduced myocardial fibrosis after doxorubicin.
Two carriers of a BRCA1 mutation developed breast cancer during follow-up; neither was related to treatment. Genital infections with Candida albicans were the most frequent adverse event, and one patient had diabetic ketoacidosis.`;
