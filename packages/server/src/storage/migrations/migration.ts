/** The words in which the two databases differ. */
export interface ColumnWords {
  /** Compared byte by byte, on both. */
  readonly text: string;
  /** At least 53 bits. */
  readonly integer: string;
  readonly bytes: string;
  /** After the list of columns of a table whose rows are kept in the order of its primary key, where there is a choice. */
  readonly clustered: string;
}

/** One step of the schema. What was released is never changed; what is to be different comes as the next step. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly statements: (words: ColumnWords) => readonly string[];
}
