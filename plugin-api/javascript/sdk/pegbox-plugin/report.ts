/** What a metric reports. */

/** One number. */
export interface Score {
  /** kebab-case, each once, for example `macro-f1`. A recipe's `select-by` names it. */
  name: string;
  value: number;
  higherIsBetter: boolean;
}

/** Something for the report that is not one number, such as a confusion matrix. */
export interface Detail {
  /** A file name without folders, of letters, digits, `.`, `-` and `_`, for example `confusion-matrix.csv`. */
  name: string;
  /** For example `text/csv` or `application/json`. */
  mediaType: string;
  content: string;
}

/** Everything that a metric has to say. */
export interface Report {
  scores: Score[];
  details?: Detail[];
}
