import type { Answer, Closing, Covers, PathStep, Script, ScriptStep } from "./analysis.js";
import type { Letter } from "./letters.js";
import type { Side } from "./question.js";
import { runsAsWritten } from "./run-script.js";
import type { Move, Outcome } from "./search.js";
import type { Study, Subject } from "./study.js";

/** Marks of letters: tools of the question's two sides. */
const FROM = 1;
const TO = 2;

/** Tools of a letter for which arguments and values are made up. */
const TRIED_TOOLS = 20;
/** Of what is left of the states, how much the search over overlapping calls may take. */
const OVERLAP_SHARE = 0.5;
/** Tools that are named one by one. */
const NAMED_TOOLS = 5;

/** Answers a question for every set of roles that it is about. */
export function answerQuestion(
  study: Study,
  roles: readonly string[] | undefined,
  from: Side | undefined,
  to: Side,
): Answer[] {
  const mark = (tool: string) => (from?.matches(tool) ? FROM : 0) | (to.matches(tool) ? TO : 0);
  const asked = from === undefined ? `a tool of \`${to.reference}\`` : sides(from.reference, to.reference);
  return study.subjects(roles, mark).flatMap((subject, index, all) => {
    // Each set of roles gets its part of what is left, so that a hard one leaves something for the others.
    const share = 1 / (all.length - index);
    const answer = new RoleAnswer(study, subject, from !== undefined, asked, share).answer();
    return subject.alike.map((alike) => forRoles(answer, alike, subject.roles));
  });
}

function sides(from: string, to: string): string {
  return from === to
    ? `a tool of \`${to}\` after one of the same`
    : `a tool of \`${to}\` after one of \`${from}\``;
}

/** What holds for one role holds for another that stands in the same entries. */
function forRoles(answer: Answer, roles: readonly string[], said: readonly string[]): Answer {
  if (roles === said) return answer;
  const words = answer.words.replace(named(said), () => named(roles));
  if (answer.answer === "can") return { ...answer, roles, words, script: { ...answer.script, roles } };
  return { ...answer, roles, words };
}

function named(roles: readonly string[]): string {
  return roles.map((role) => `\`${role}\``).join(" and ");
}

class RoleAnswer {
  readonly #study: Study;
  readonly #subject: Subject;
  readonly #asksFrom: boolean;
  readonly #asked: string;
  readonly #share: number;
  readonly #picked = new Map<string, string | undefined>();
  /** States of all searches for this answer. */
  #states = 0;

  constructor(study: Study, subject: Subject, asksFrom: boolean, asked: string, share: number) {
    this.#share = share;
    this.#study = study;
    this.#subject = subject;
    this.#asksFrom = asksFrom;
    this.#asked = asked;
  }

  answer(): Answer {
    const { alphabet, allowListed } = this.#subject;
    const some = (bit: number) => alphabet.letters.some(({ mark }) => (mark & bit) !== 0);
    if (this.#asksFrom && !some(FROM)) return this.#cannot(0, "any interleaving", this.#refused(FROM));
    if (!some(TO)) return this.#cannot(0, "any interleaving", this.#refused(TO));
    if (allowListed) {
      const wide = this.#search({ relaxed: true, share: OVERLAP_SHARE });
      if (wide.outcome.kind === "closed")
        return this.#cannot(wide.letters, "any interleaving", wide.closings);
    }
    const all = this.#search({});
    const { outcome } = all;
    switch (outcome.kind) {
      case "closed":
        return this.#cannot(
          all.letters,
          allowListed ? "calls one after another" : "any interleaving",
          all.closings,
        );
      case "stopped":
        return {
          ...this.#saying("stopped", `it is not known whether ${this.#who} can call ${this.#asked}`),
          calls: outcome.calls,
          why: outcome.why,
        };
      case "found":
        return this.#found(outcome.path);
    }
  }

  #found(path: readonly Move[]): Answer {
    if (this.#isCertain(path)) return this.#confirmed(path);
    const certain = this.#search({ certain: true }).outcome;
    if (certain.kind === "found") return this.#confirmed(certain.path);
    const unmade = "no arguments, or no result that is released, could be made up for it";
    return {
      ...this.#saying("possible", `${this.#who} may be able to call ${this.#asked}: ${unmade}`),
      path: this.#steps(path),
    };
  }

  #confirmed(moves: readonly Move[]): Answer {
    const path = this.#steps(moves);
    const script = this.#script(path);
    const { plan, options } = this.#study;
    if (!runsAsWritten(plan, script) || options.confirm?.(script) === false) {
      const words = `${this.#who} may be able to call ${this.#asked}: the guard did not confirm the calls found`;
      return { ...this.#saying("possible", words), path };
    }
    return { ...this.#saying("can", `${this.#who} can call ${this.#asked}`), path, script };
  }

  #cannot(letters: number, covers: Covers, closedBy: readonly Closing[]): Answer {
    const words = `${this.#who} can never call ${this.#asked}`;
    return { ...this.#saying("cannot", words), covers, letters, closedBy };
  }

  #saying<T extends Answer["answer"]>(answer: T, words: string) {
    return { answer, roles: this.#subject.roles, words, states: this.#states };
  }

  get #who(): string {
    return `a user with ${named(this.#subject.roles)}`;
  }

  #search(how: { readonly relaxed?: boolean; readonly certain?: boolean; readonly share?: number }): {
    readonly outcome: Outcome;
    readonly letters: number;
    readonly closings: readonly Closing[];
  } {
    const closings = { before: new Map<string, Closing>(), after: new Map<string, Closing>() };
    const certain = how.certain === true;
    const { view } = this.#subject.walk;
    /** A letter that may have no arguments stands for none. */
    const certainly = (letter: Letter): string => {
      const { input, output } = view.entry(letter.tools[0]?.tool ?? letter.tool);
      return input === undefined && output === undefined
        ? String(letter.mark)
        : `${letter.mark} ${letter.tool}`;
    };
    const outcome = this.#study.search(
      this.#subject,
      {
        wanted: ({ mark }) => mark !== 0,
        relaxed: how.relaxed,
        apart: certain ? certainly : ({ mark }) => String(mark),
      },
      () => ({
        ...(this.#asksFrom ? { begins: ({ mark }: Letter) => (mark & FROM) !== 0 } : {}),
        ...(certain ? { usable: (move: Move) => this.#pick(move) !== undefined } : {}),
        goal: (_, letter, denial) =>
          denial === undefined &&
          (letter.mark & TO) !== 0 &&
          (!certain || this.#pick({ letter, released: false }) !== undefined),
        denied: ({ begun }, { mark }, denial) => {
          if ((mark & (begun ? TO : FROM)) === 0) return;
          const found = begun ? closings.after : closings.before;
          const key = `${denial.layer} ${denial.rule ?? ""}`;
          if (!found.has(key)) found.set(key, this.#study.closing(denial));
        },
      }),
      this.#share * (how.share ?? 1),
    );
    this.#states += outcome.states;
    const own = [...(closings.after.size > 0 ? closings.after : closings.before).values()];
    return { outcome, letters: outcome.letters, closings: [...own, ...this.#refused(TO)] };
  }

  /** What the permission layer says of the tools of one side. */
  #refused(side: number): Closing[] {
    const closings = new Map<string, { closing: Closing; tools: string[] }>();
    for (const { tool, mark, denial } of this.#subject.alphabet.refused) {
      if ((mark & side) === 0) continue;
      const key = `${denial.reason} ${denial.rule ?? ""}`;
      const known = closings.get(key);
      const name = `\`${tool.stands ?? tool.tool}\``;
      if (known === undefined) closings.set(key, { closing: this.#study.closing(denial), tools: [name] });
      else known.tools.push(name);
    }
    return [...closings.values()].map(({ closing, tools }) => {
      const rest = tools.length > NAMED_TOOLS ? ` and ${tools.length - NAMED_TOOLS} more` : "";
      return { ...closing, words: `${tools.slice(0, NAMED_TOOLS).join(", ")}${rest}: ${closing.words}` };
    });
  }

  #isCertain(path: readonly Move[]): boolean {
    return path.every((move, index) =>
      index === path.length - 1
        ? this.#pick({ ...move, released: false }) !== undefined
        : this.#pick(move) !== undefined,
    );
  }

  /** A tool of the letter that can be called for certain, and if need be released. */
  #pick({ letter, released }: Move): string | undefined {
    const key = `${released} ${letter.tool}`;
    if (this.#picked.has(key)) return this.#picked.get(key);
    const { view } = this.#subject.walk;
    const { samples } = this.#study;
    const found = letter.tools
      .slice(0, TRIED_TOOLS)
      .find(
        ({ tool }) =>
          samples.argumentsFor(view, tool) !== undefined &&
          (!released || samples.valueFor(view, tool) !== undefined),
      )?.tool;
    this.#picked.set(key, found);
    return found;
  }

  #steps(path: readonly Move[]): PathStep[] {
    const { view } = this.#subject.walk;
    return path.map((move, index) => {
      const { letter } = move;
      const tool = this.#pick(move) ?? this.#pick({ letter, released: false }) ?? letter.tool;
      const args = this.#study.samples.argumentsFor(view, tool);
      const { stands } = letter.tools.find((it) => it.tool === tool) ?? { stands: undefined };
      const last = index === path.length - 1;
      const released = last ? this.#study.samples.valueFor(view, tool) !== undefined : move.released;
      return {
        tool,
        ...(stands === undefined ? {} : { stands }),
        ends: released ? "released" : "failed",
        ...(args === undefined ? {} : { args }),
      };
    });
  }

  #script(path: readonly PathStep[]): Script {
    const { view } = this.#subject.walk;
    const steps = path.map(({ tool, args = {}, ends }): ScriptStep => {
      const value = ends === "released" ? this.#study.samples.valueFor(view, tool) : undefined;
      return value === undefined
        ? { tool, args, throws: "a failure, made for this test" }
        : { tool, args, returns: value.value };
    });
    return { roles: this.#subject.roles, steps };
  }
}
