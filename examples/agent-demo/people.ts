/** A customer of the shop. Everyone in here is invented: no social security number begins with 9, `.example` is no domain. */
export interface Customer {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly ssn: string;
}

const FIRST = ["Ada", "Ben", "Chloe", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jun", "Kaja", "Luis"];
const LAST = [
  "Aldous",
  "Brandt",
  "Castell",
  "Demir",
  "Engel",
  "Farrow",
  "Grieg",
  "Holm",
  "Ito",
  "Juric",
  "Kaya",
];

/** The same people at every run. */
export function inventPeople(count: number): Customer[] {
  return Array.from({ length: count }, (_, index) => {
    const first = FIRST[index % FIRST.length] ?? "";
    const last = LAST[Math.floor(index / FIRST.length) % LAST.length] ?? "";
    const id = index + 1;
    const digits = String(100_000 + ((id * 7919) % 900_000));
    return {
      id,
      name: `${first} ${last}`,
      email: `${first}.${last}.${id}@mail.example`.toLowerCase(),
      ssn: `9${digits.slice(0, 2)}-${digits.slice(2, 4)}-${String(1000 + id)}`,
    };
  });
}
