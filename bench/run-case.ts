// Runs one case once and prints its figures as one line of JSON. Usage: node bench/run-case.js <case>
import type { Case } from "./figure.js";

const [name = ""] = process.argv.slice(2);
// Whatever `cases/` holds keeps to this form; the compiler sees to that where each is written.
const { measure } = (await import(`./cases/${name}.js`)) as Case;
const figures = await measure();
// A case may leave things running that keep the process alive.
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
