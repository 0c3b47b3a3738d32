import { describe, expect, it } from "vitest";
import { digest } from "../src/canonical/canonical-json.js";
import { BehaviorLog } from "../src/contract/behavior-log.js";
import { InvalidEventError, InvalidOrderError } from "../src/contract/contract-error.js";
import { DblEvent, type DblEventFields } from "../src/contract/dbl-event.js";
import { GateDecision } from "../src/contract/gate-decision.js";

const event = (eventKind: DblEventFields["eventKind"], correlationId = "c", data?: unknown): DblEvent =>
  new DblEvent({ eventKind, correlationId, ...(data === undefined ? {} : { data }) });
const allowed = (id = "c"): DblEvent => event("DECISION", id, new GateDecision("ALLOW", "ok"));
const refused = (id = "c"): DblEvent => event("DECISION", id, { gate: { decision: "DENY" } });
const executed = (id = "c"): DblEvent => event("EXECUTION", id, { trace: {}, trace_digest: digest({}) });
const order = (...events: DblEvent[]) => expect(() => new BehaviorLog(events));

describe("the behaviour log", () => {
  it("answers an append with a longer log and stays as it was", () => {
    const empty = new BehaviorLog();
    const one = empty.append(event("INTENT"));
    const two = one.append(allowed());
    expect([empty.length, one.length, two.length]).toEqual([0, 1, 2]);
    expect([...one].map(({ index }) => index)).toEqual([0]);
    expect(one.at(1)).toBeUndefined();
    expect(one.digest).toBe(new BehaviorLog([event("INTENT")]).digest);
  });

  it("goes on twice from the same log without mixing the two", () => {
    const begun = new BehaviorLog([event("INTENT")]);
    const yes = begun.append(allowed()).append(executed());
    const no = begun.append(refused());
    expect(yes.at(1)?.event.digest).toBe(allowed().digest);
    expect(no.at(1)?.event.digest).toBe(refused().digest);
    expect([yes.length, no.length]).toEqual([3, 2]);
    expect(() => no.append(executed())).toThrow(InvalidOrderError);
    expect(begun.append(allowed()).length).toBe(2);
  });

  it("numbers equal events by their place", () => {
    const log = new BehaviorLog([event("INTENT"), event("INTENT")]);
    expect([...log].map(({ index }) => index)).toEqual([0, 1]);
  });

  it("refuses an EXECUTION without an ALLOW for its correlation id", () => {
    order(executed()).toThrow(InvalidOrderError);
    order(event("INTENT"), executed()).toThrow(InvalidOrderError);
    order(allowed("other"), executed()).toThrow(InvalidOrderError);
    order(event("DECISION", "c", { decision: "MAYBE" }), executed()).toThrow(InvalidOrderError);
    order(event("DECISION", "c", { gate: { decision: "ALLOW" }, decision: "ODD" }), executed()).toThrow(
      InvalidOrderError,
    );
    order(allowed(), executed()).not.toThrow();
    order(event("DECISION", "c", { decision: "ALLOW" }), executed()).not.toThrow();
  });

  it("refuses a second DECISION of a chain, and anything after a DENY of it", () => {
    order(allowed(), allowed()).toThrow(InvalidOrderError);
    order(allowed(), refused()).toThrow(InvalidOrderError);
    for (const next of [event("INTENT"), allowed(), executed(), event("PROOF")]) {
      order(refused(), next).toThrow(InvalidOrderError);
    }
    order(refused("other"), event("INTENT"), allowed(), event("PROOF"), executed()).not.toThrow();
  });

  it("lets a release be decided for itself", () => {
    const release = "c:release";
    order(event("INTENT"), allowed(), executed(), event("INTENT", release), refused(release)).not.toThrow();
  });

  it("stays whole when it refuses", () => {
    const log = new BehaviorLog([event("INTENT"), allowed()]);
    expect(() => log.append(allowed())).toThrow(InvalidOrderError);
    expect(log.append(executed()).length).toBe(3);
  });

  it("takes events only", () => {
    const likeness = { ...event("INTENT") } as DblEvent; // what a caller without types may pass
    expect(() => new BehaviorLog().append(likeness)).toThrow(InvalidEventError);
  });

  it("grows by many events in linear time", () => {
    let log = new BehaviorLog();
    const intent = event("INTENT");
    for (let count = 0; count < 50_000; count++) log = log.append(intent);
    expect(log.length).toBe(50_000);
  });
});

describe("an event", () => {
  it("keeps what it was made of, whatever the caller does later", () => {
    const data = { list: [1] };
    const made = event("INTENT", "c", data);
    data.list.push(2);
    expect(made.canonical).toBe('{"correlation_id":"c","data":{"list":[1]},"event_kind":"INTENT"}');
    expect(Object.isFrozen(made)).toBe(true);
    expect(Reflect.set(Object(made.data), "list", [])).toBe(false);
  });

  it("is of one of the four kinds", () => {
    for (const kind of ["intent", "toString", "", undefined]) {
      expect(() => event(kind as DblEventFields["eventKind"])).toThrow(InvalidEventError);
    }
  });

  it("runs no accessor of the data, and takes no proxy", () => {
    let ran = 0;
    const get = (): number => ++ran;
    for (const key of ["anchors_used", "gate"]) {
      const data = Object.defineProperty({ a: 1 }, key, { get, enumerable: true });
      expect(() => event("DECISION", "c", data)).toThrow(InvalidEventError);
    }
    expect(() => event("DECISION", "c", new Proxy({ a: 1 }, {}))).toThrow(InvalidEventError);
    expect(ran).toBe(0);
  });
});
