import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileSource } from "../src/source/file-source.js";
import type { WatchTiming } from "../src/source/file-watch.js";
import { linkSteps } from "../src/source/link-steps.js";
import { PolicyFolder } from "./policy-folder.js";

/** Events alone: the next poll is after the test. */
const EVENTS: WatchTiming = { settleMs: 10, pollMs: 3_600_000 };
const POLLING: WatchTiming = { settleMs: 10, pollMs: 20, events: false };

/** What the source reads at every change that it tells, one after another. */
class Readings {
  readonly #source: FileSource;
  #unread: string[] = [];
  #waiting: ((content: string) => void) | undefined;

  constructor(path: string, timing: WatchTiming) {
    this.#source = new FileSource(path, { folder: "/", maxBytes: 1000, timing });
    onTestFinished(() => this.#source.close());
    this.#source.loadSync();
    this.#source.subscribe(() => this.#told());
  }

  next(): Promise<string> {
    const content = this.#unread.shift();
    if (content !== undefined) return Promise.resolve(content);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #told(): void {
    const content = this.#content();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#unread.push(content);
    else waiting(content);
  }

  #content(): string {
    try {
      return String(this.#source.loadSync().content);
    } catch (error) {
      return error instanceof Error ? error.message.replace(/^.*`: ?|^.*` /, "") : "";
    }
  }
}

describe.each([
  ["events", EVENTS],
  ["polling", POLLING],
])("a watched file, by %s", (_, timing) => {
  it("is told when it is written in place, also by text of the same length", async () => {
    const folder = new PolicyFolder();
    const readings = new Readings(folder.write("a.yaml", "one"), timing);
    folder.write("a.yaml", "two");
    expect(await readings.next()).toBe("two");
    folder.write("a.yaml", "three");
    expect(await readings.next()).toBe("three");
  });

  it("is told when others are renamed over it, again and again", async () => {
    const folder = new PolicyFolder();
    const readings = new Readings(folder.write("a.yaml", "one"), timing);
    for (const text of ["two", "three", "four"]) {
      folder.replace("a.yaml", text);
      expect(await readings.next()).toBe(text);
    }
  });

  it("is told when it goes, and when it comes back", async () => {
    const folder = new PolicyFolder();
    const readings = new Readings(folder.write("a.yaml", "one"), timing);
    unlinkSync(folder.at("a.yaml"));
    expect(await readings.next()).toContain("does not exist");
    folder.write("a.yaml", "one");
    expect(await readings.next()).toBe("one");
  });

  it("is told when the link to it is swapped, and when the file behind the link is written", async () => {
    const folder = new PolicyFolder();
    folder.write("one/a.yaml", "one");
    folder.write("two/a.yaml", "two");
    symlinkSync("one/a.yaml", folder.at("link.yaml"));
    const readings = new Readings(folder.at("link.yaml"), timing);
    folder.write("one/a.yaml", "one, changed");
    expect(await readings.next()).toBe("one, changed");
    symlinkSync("two/a.yaml", folder.at("new"));
    renameSync(folder.at("new"), folder.at("link.yaml"));
    expect(await readings.next()).toBe("two");
    folder.write("two/a.yaml", "two, changed");
    expect(await readings.next()).toBe("two, changed");
  });

  it("is told when a folder on the way is a link that is swapped, as in a mounted ConfigMap", async () => {
    const folder = new PolicyFolder();
    folder.write("..1/a.yaml", "one");
    folder.write("..2/a.yaml", "two");
    folder.write("..3/a.yaml", "three");
    symlinkSync("..1", folder.at("..data"));
    symlinkSync("..data/a.yaml", folder.at("a.yaml"));
    const readings = new Readings(folder.at("a.yaml"), timing);
    for (const [generation, text] of [
      ["..2", "two"],
      ["..3", "three"],
    ] as const) {
      symlinkSync(generation, folder.at("..data_tmp"));
      renameSync(folder.at("..data_tmp"), folder.at("..data"));
      expect(await readings.next()).toBe(text);
    }
  });

  it("is told again after a touch, since only its content can say that it is the same", async () => {
    const folder = new PolicyFolder();
    const readings = new Readings(folder.write("a.yaml", "one"), timing);
    utimesSync(folder.at("a.yaml"), 1, 1);
    expect(await readings.next()).toBe("one");
  });
});

describe("polling", () => {
  it("finds a file whose whole folder went and came back", async () => {
    const folder = new PolicyFolder();
    const readings = new Readings(folder.write("sub/a.yaml", "one"), { settleMs: 10, pollMs: 20 });
    rmSync(folder.at("sub"), { recursive: true });
    expect(await readings.next()).toContain("does not exist");
    mkdirSync(folder.at("sub"));
    folder.replace("sub/a.yaml", "two");
    expect(await readings.next()).toBe("two");
  });
});

describe("the names that decide where a path leads", () => {
  it("are the file, and every link on the way in the folder that it is in", async () => {
    const folder = new PolicyFolder();
    folder.write("real/sub/a.yaml", "");
    symlinkSync("real", folder.at("step"));
    symlinkSync(folder.at("step/sub"), folder.at("jump"));
    const steps = await linkSteps(folder.at("jump/a.yaml"));
    expect(steps).toEqual(
      new Map([
        [folder.path, new Set(["jump", "step"])],
        [folder.at("real/sub"), new Set(["a.yaml"])],
      ]),
    );
  });

  it("are found for links that lead in a circle, too", async () => {
    const folder = new PolicyFolder();
    symlinkSync("b", folder.at("a"));
    symlinkSync("a", folder.at("b"));
    expect(await linkSteps(folder.at("a"))).toEqual(new Map([[folder.path, new Set(["a", "b"])]]));
  });
});
