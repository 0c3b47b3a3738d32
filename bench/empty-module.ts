/** A module with nothing in it, to hold others against. */
export {};
