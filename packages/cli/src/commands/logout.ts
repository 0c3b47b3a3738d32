import { removeCredentials } from "../cloud/credentials.js";
import type { Run } from "../command.js";
import { OK } from "../exit-code.js";

export const runLogout: Run = async (_args, options, terminal) => {
  const there = removeCredentials(terminal);
  if (options["json"] === true) terminal.printJson("logout", { removed: there });
  else terminal.print(there ? "the token is forgotten\n" : "there was no token\n");
  return OK;
};
