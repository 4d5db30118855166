import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupRulesCommand,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { closeDoor, openDoor } from "../../../src/aws/door";
import type { Aws } from "../../../src/aws/session";
import { UserError } from "../../../src/user-error";
import { deferred } from "../../app/deferred";
import type { Moto } from "../../bed/aws/moto";
import { startMoto, testAws } from "../../support/moto";

const HOUR = 60 * 60_000;
const RUNNER = "203.0.113.7/32";
const START = Date.parse("2026-11-26T10:00:00Z");

const holder = (name: string) => ({ name, url: `https://github.com/acme/shop/actions/runs/${name}` });

describe("the door to a host", () => {
  let aws: Aws;
  let moto: Moto;
  let groupId = "";
  let time = START;
  const sleep = async (milliseconds: number) => {
    time += milliseconds;
  };
  const clock = { now: () => time, sleep };

  beforeAll(async () => {
    moto = await startMoto();
    aws = await testAws();
  }, 60_000);
  afterAll(() => moto.stop());
  beforeEach(async () => {
    time = START;
    clock.sleep = sleep;
    const name = `deploys-${process.hrtime.bigint()}`;
    const made = await aws.ec2.send(new CreateSecurityGroupCommand({ GroupName: name, Description: "for a test" }));
    groupId = made.GroupId ?? "";
  });

  const open = (name: string, more: { cidrs?: string[]; port?: number; lifetime?: number; through?: Aws } = {}) => {
    const { through = aws, ...options } = more;
    return openDoor(through, { groupId, port: 22, cidrs: [RUNNER], holder: holder(name), clock, ...options });
  };

  const rules = async (): Promise<SecurityGroupRule[]> => {
    const asked = new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [groupId] }] });
    return ((await aws.ec2.send(asked)).SecurityGroupRules ?? []).filter(({ IsEgress }) => !IsEgress);
  };
  const sources = async () => (await rules()).map((rule) => rule.CidrIpv4 ?? rule.CidrIpv6).sort();
  const tags = async () => (await rules()).map((rule) => (rule.Tags ?? []).map(({ Key, Value }) => `${Key}=${Value}`));

  const byHand = (cidr: string) =>
    aws.ec2.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId: groupId,
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: cidr }] }],
      }),
    );

  /** `aws`, and what happens elsewhere just before one of its calls. */
  const meanwhile = (action: string, happens: () => Promise<unknown>, nth = 1): Aws => {
    let left = nth;
    return new Proxy(aws, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property !== "call") return value;
        return async (asked: string, send: () => Promise<unknown>) => {
          if (asked === action && --left === 0) await happens();
          return target.call(asked, send);
        };
      },
    });
  };

  test("is open on the given port for each of the runner's addresses, and closed afterwards", async () => {
    const door = await open("1", { cidrs: [RUNNER, "2001:db8::7/128"], port: 2222 });
    expect(await sources()).toEqual(["2001:db8::7/128", RUNNER]);
    expect((await rules()).map(({ FromPort, ToPort, IpProtocol }) => [FromPort, ToPort, IpProtocol])).toEqual([
      [2222, 2222, "tcp"],
      [2222, 2222, "tcp"],
    ]);
    expect(door.ruleIds).toHaveLength(2);
    expect(await door.close()).toEqual([]);
    expect(await rules()).toEqual([]);
  });

  test("says on its rule which run opened it and when that run counts as dead", async () => {
    await open("7-1-abc");
    expect(await tags()).toEqual([
      [
        "hello-devops:run=https://github.com/acme/shop/actions/runs/7-1-abc",
        "hello-devops:run:7-1-abc=2026-11-26T16:00:00.000Z",
      ],
    ]);
    expect((await rules())[0]?.Description).toContain("https://github.com/acme/shop/actions/runs/7-1-abc");
  });

  test("is closed by the post step, which knows the holder alone", async () => {
    await open("1");
    expect(await closeDoor(aws, { groupId, ruleIds: undefined, holder: holder("1"), clock })).toEqual([]);
    expect(await rules()).toEqual([]);
  });

  test("is looked for again by whoever does not know its rules: AWS may not list what was made a moment ago", async () => {
    await open("1");
    const blind = new Proxy(aws, {
      get: (target, property) => {
        if (property !== "call") return Reflect.get(target, property, target);
        const early = time < START + 3_000;
        return async (action: string, send: () => Promise<unknown>) =>
          early && action === "ec2:DescribeSecurityGroupRules" ? [] : target.call(action, send);
      },
    });
    expect(await closeDoor(blind, { groupId, ruleIds: undefined, holder: holder("1"), clock })).toEqual([]);
    expect(await rules()).toEqual([]);
  });

  test("costs no second look where the only rule is a person's", async () => {
    await byHand(RUNNER);
    const door = await open("1");
    expect(await door.close()).toEqual([]);
    expect([time, await sources()]).toEqual([START, [RUNNER]]);
  });

  test("is closed twice without a complaint", async () => {
    const door = await open("1");
    await door.close();
    expect(await door.close()).toEqual([]);
  });

  test("stays open for a second job of the same address until that one goes, too", async () => {
    const first = await open("1");
    const second = await open("2");
    expect(await sources()).toEqual([RUNNER]);
    expect(await first.close()).toEqual([]);
    expect(await sources()).toEqual([RUNNER]);
    expect(await second.close()).toEqual([]);
    expect(await rules()).toEqual([]);
  });

  test("is one rule when two jobs of one address open it at once", async () => {
    const doors = await Promise.all([open("1"), open("2")]);
    expect(await sources()).toEqual([RUNNER]);
    expect(doors[0].ruleIds).toEqual(doors[1].ruleIds);
  });

  test("is closed when its two last holders go at once", async () => {
    const doors = [await open("1"), await open("2")];
    const warnings = await Promise.all(doors.map((door) => door.close()));
    expect(warnings.flat()).toEqual([]);
    expect(await rules()).toEqual([]);
  });

  const closersCalls: readonly [when: string, action: string, nth: number][] = [
    ["marks that it closes", "ec2:CreateTags", 1],
    ["looks for others", "ec2:DescribeSecurityGroupRules", 2],
    ["takes the rule away", "ec2:RevokeSecurityGroupIngress", 1],
  ];
  test.each(closersCalls)("is open for a job that comes just before the last holder %s", async (_, action, nth) => {
    const first = await open("1");
    let arrived: ReturnType<typeof open> | undefined;
    // The newcomer waits for a closer that it sees: so the closer goes on once the newcomer is there, or waits.
    const waits = new Promise<void>((waiting) => {
      clock.sleep = async (milliseconds) => {
        waiting();
        await closed;
        await sleep(milliseconds);
      };
    });
    const comes = async () => {
      arrived = open("2");
      await Promise.race([arrived, waits]);
    };
    const closed = closeDoor(meanwhile(action, comes, nth), { groupId, ...first, holder: holder("1"), clock });
    expect(await closed).toEqual([]);
    const second = await arrived;
    expect((await rules()).map((rule) => rule.SecurityGroupRuleId)).toEqual(second?.ruleIds);
    await second?.close();
    expect(await rules()).toEqual([]);
  });

  test("is open for a job that joins between the last holder's look and its deed", async () => {
    const first = await open("1");
    const [closerLooked, newcomerDecided] = [deferred(), deferred()];
    let closed: Promise<string[]> | undefined;
    clock.sleep = async (milliseconds) => {
      newcomerDecided.resolve();
      await closed;
      await sleep(milliseconds);
    };
    const slowly = meanwhile("ec2:RevokeSecurityGroupIngress", () => {
      closerLooked.resolve();
      return newcomerDecided.promise;
    });
    const joining = meanwhile("ec2:CreateTags", () => {
      closed = closeDoor(slowly, { groupId, ...first, holder: holder("1"), clock });
      return closerLooked.promise;
    });
    const second = await open("2", { through: joining }).finally(newcomerDecided.resolve);
    expect(await closed).toEqual([]);
    expect((await rules()).map((rule) => rule.SecurityGroupRuleId)).toEqual(second.ruleIds);
  });

  test("is opened anew when the shared rule goes just before the newcomer's tag is on it", async () => {
    const first = await open("1");
    const second = await open("2", { through: meanwhile("ec2:CreateTags", () => first.close()) });
    expect((await rules()).map((rule) => rule.SecurityGroupRuleId)).toEqual(second.ruleIds);
    expect(second.ruleIds).not.toEqual(first.ruleIds);
  });

  test("is opened in spite of a job that died while it closed the rule", async () => {
    const first = await open("1");
    const dies = async () => {
      throw new Error("killed");
    };
    const through = meanwhile("ec2:RevokeSecurityGroupIngress", dies);
    expect(await closeDoor(through, { groupId, ...first, holder: holder("1"), clock })).toEqual([
      expect.stringContaining(`${first.ruleIds[0]} in ${groupId} could not be closed: killed`),
    ]);
    const second = await open("2");
    expect((await rules()).map((rule) => rule.SecurityGroupRuleId)).toEqual(second.ruleIds);
  });

  test("is swept away once its run counts as dead, whatever its address and port", async () => {
    await open("dead", { cidrs: ["198.51.100.1/32"], port: 2222 });
    time += 6 * HOUR + 1;
    const door = await open("2");
    expect(door.warnings).toEqual([]);
    expect(await sources()).toEqual([RUNNER]);
  });

  test("of a run that still lives is not swept", async () => {
    await open("alive", { cidrs: ["198.51.100.1/32"], lifetime: 7 * HOUR });
    time += 6 * HOUR + 1;
    await open("2");
    expect(await sources()).toEqual(["198.51.100.1/32", RUNNER]);
  });

  test("is not kept open by a dead holder of the same rule", async () => {
    await open("dead");
    const door = await open("2", { lifetime: 8 * HOUR });
    time += 7 * HOUR;
    await door.close();
    expect(await rules()).toEqual([]);
  });

  test("never touches a rule that a person made, not even one for the same address", async () => {
    await byHand(RUNNER);
    await byHand("198.51.100.9/32");
    const door = await open("1");
    expect(door.ruleIds).toEqual([]);
    expect(await door.close()).toEqual([]);
    expect(await sources()).toEqual(["198.51.100.9/32", RUNNER]);
    expect(await tags()).toEqual([[], []]);
  });

  test("leaves nothing open when one of its addresses is refused", async () => {
    await expect(open("1", { cidrs: [RUNNER, "203.0.113.999/32"] })).rejects.toThrow(UserError);
    expect(await rules()).toEqual([]);
  });

  test.each(["sg-0123456789abcdef0", "deploys"])("says that there is no security group %s", async (wrong) => {
    const opening = openDoor(aws, { groupId: wrong, port: 22, cidrs: [RUNNER], holder: holder("1"), clock });
    await expect(opening).rejects.toThrow(
      `ssh-security-group: AWS knows no security group "${wrong}" in the region eu-west-1`,
    );
  });
});
