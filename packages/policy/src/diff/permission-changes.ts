import type { ChangeDraft } from "./change-list.js";
import type { Access, PlacedPermission, PolicySide } from "./policy-side.js";

/**
 * What changed about whether a user with these roles may call a tool at all. Of a single role it also matters what it
 * forbids where it grants nothing: that binds users who hold other roles as well.
 */
export function permissionChange(
  before: { readonly side: PolicySide; readonly access: Access },
  after: { readonly side: PolicySide; readonly access: Access },
  roles: readonly string[],
): ChangeDraft | undefined {
  const old = before.access;
  const now = after.access;
  if (!old.usable && now.usable) return gained(before.side, old, after.side, now, roles);
  if (old.usable && !now.usable) return lost(before.side, old, after.side, now, roles);
  if (old.usable || roles.length > 1) return undefined;
  const [forbidBefore] = old.forbids;
  const [forbidAfter] = now.forbids;
  if (forbidBefore !== undefined && forbidAfter === undefined) {
    return {
      kind: "denial_removed",
      direction: "loosened",
      words: (who, tools) =>
        `calls of ${tools} are no longer forbidden by ${who} to users who hold other roles as well`,
      before: [forbidBefore.at],
      together: true,
      reference: { side: before.side, tool: forbidBefore.permission.tool },
    };
  }
  if (forbidBefore === undefined && forbidAfter !== undefined) {
    return {
      kind: "denial_added",
      direction: "tightened",
      words: (who, tools) =>
        `calls of ${tools} are now forbidden by ${who}, whatever the user's other roles grant`,
      after: [forbidAfter.at],
      together: true,
      reference: { side: after.side, tool: forbidAfter.permission.tool },
    };
  }
  return undefined;
}

function gained(
  beforeSide: PolicySide,
  before: Access,
  side: PolicySide,
  after: Access,
  roles: readonly string[],
): ChangeDraft {
  const grant = causeOf(after.grants, beforeSide, roles);
  const [forbid] = before.grants.length > 0 ? before.forbids : [];
  const allowed = (who: string, tools: string) => `${who} may now call ${tools}`;
  return {
    kind: "permission_gained",
    direction: "loosened",
    words:
      forbid === undefined
        ? allowed
        : (who, tools) => `${allowed(who, tools)}: \`allow: false\` no longer forbids it`,
    before: forbid === undefined ? [] : [forbid.at],
    after: grant === undefined ? [] : [grant.at],
    ...referenceOf(forbid === undefined ? side : beforeSide, forbid ?? grant),
  };
}

function lost(
  side: PolicySide,
  before: Access,
  afterSide: PolicySide,
  after: Access,
  roles: readonly string[],
): ChangeDraft {
  const [forbid] = after.forbids;
  const grant = causeOf(before.grants, afterSide, roles);
  const refused = (who: string, tools: string) => `${who} may no longer call ${tools}`;
  return {
    kind: "permission_lost",
    direction: "tightened",
    words:
      forbid === undefined
        ? refused
        : (who, tools) => `${refused(who, tools)}: \`allow: false\` now forbids it`,
    before: grant === undefined ? [] : [grant.at],
    after: forbid === undefined ? [] : [forbid.at],
    ...referenceOf(forbid === undefined ? side : afterSide, forbid ?? grant),
  };
}

function referenceOf(
  side: PolicySide,
  permission: PlacedPermission | undefined,
): Pick<ChangeDraft, "reference"> | Record<never, never> {
  return permission === undefined ? {} : { reference: { side, tool: permission.permission.tool } };
}

/** The permission that the other policy does not grant these roles in the same words, or else the first. */
function causeOf(
  grants: readonly PlacedPermission[],
  other: PolicySide,
  roles: readonly string[],
): PlacedPermission | undefined {
  return grants.find(({ permission }) => !other.grantsAs(roles, permission.tool)) ?? grants[0];
}
