// What a new instance's user data does, carried out by cloud-init in a container. It stays unproved here, as it takes the real thing:
// that Amazon Linux has the packages and what their units do when they are updated; that systemd starts a unit again at the times it
// is told to; the swap file, the mount and the growing of a file system, which a container may not do; that the agent takes its
// configuration (agent.test.ts holds it to the agent's schema) and that AWS's own names of devices are as they are here.
import { afterAll, beforeAll, describe, expect, jest } from "@jest/globals";
import { hostKeys } from "../../src/aws/host-keys";
import type { Moto } from "../bed/aws/moto";
import { lines } from "../bed/run";
import { startMoto, testAws } from "../support/moto";
import { Box, ensureBoxImage } from "./box";
import { type Metadata, startMetadata } from "./metadata";
import { type Rendered, rendered } from "./rendered";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";

jest.setTimeout(900_000); // the first run makes the box's image

const programs = "/usr/local/lib/hello-devops";
const instance = { id: "i-0123456789abcdef0", region: "eu-west-1" };
const boxes: Box[] = [];
let system: Rendered;
let moto: Moto;
let metadata: Metadata;

beforeAll(async () => {
  if (missing !== "") return;
  await ensureBoxImage();
  [system] = (await rendered({ data_volume_size: 10 })) as [Rendered];
  [moto, metadata] = await Promise.all([startMoto(), startMetadata(instance)]);
});

afterAll(async () => {
  metadata?.end();
  await Promise.all([moto?.stop(), ...boxes.map((box) => box.end())]);
});

const test = (title: string, look: () => Promise<void>) => withTerraform(titled(title), look);

async function newBox(): Promise<Box> {
  const aws = { AWS_ENDPOINT_URL: moto.endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint };
  const box = await Box.start(aws);
  boxes.push(box);
  return box;
}

async function bootedBox(): Promise<Box> {
  const box = await newBox();
  await box.boot(system.userData);
  return box;
}

/** The programs alone, without what the boot calls. */
async function boxWithPrograms(): Promise<Box> {
  const box = await bootedBox();
  await box.run("rm", "/calls");
  return box;
}

describe("the user data", () => {
  test("is what cloud-init's schema takes, which refuses what is wrong", async () => {
    const box = await newBox();
    const look = async (text: string) => {
      await box.write("/user-data", text);
      return box.ended("cloud-init", "schema", "--config-file", "/user-data");
    };
    expect(await look(system.userData)).toEqual({ code: 0, output: "Valid schema /user-data" });
    expect(await look(system.userData.replace('"path"', '"file"'))).toMatchObject({ code: 1 });
  });

  test("has units that systemd takes, and settings that dockerd and logrotate take", async () => {
    const box = await bootedBox();
    const units = Object.keys(system.files).filter((path) => /^\/etc\/systemd\/system\/[^/]+$/.test(path));
    expect(units).toHaveLength(5);
    expect(await box.ended("systemd-analyze", "verify", ...units, "docker.service")).toEqual({ code: 0, output: "" });
    const dockerd = (path: string) => box.ended("dockerd", "--validate", "--config-file", path);
    expect(await dockerd("/etc/docker/daemon.json")).toMatchObject({ code: 0 });
    await box.write("/wrong.json", '{ "live-restored": true }');
    expect(await dockerd("/wrong.json")).toMatchObject({ code: 1 });
    expect(await box.ended("logrotate", "--debug", "/etc/logrotate.d/hello-devops")).toMatchObject({ code: 0 });
  });
});

describe("the first boot", () => {
  test("installs Docker and the agent, starts them, and lets ec2-user use Docker", async () => {
    const box = await bootedBox();
    expect(await box.calls()).toEqual([
      "dnf --assumeyes install docker amazon-cloudwatch-agent logrotate",
      "systemctl daemon-reload",
      "systemctl enable --now hello-devops-log.service",
      "systemctl enable --now docker.service",
      "systemctl enable --now hello-devops-updates.timer",
      "systemctl enable --now logrotate.timer",
      "systemctl enable hello-devops-data-volume.service",
      "systemctl start --no-block hello-devops-data-volume.service",
      "systemctl enable hello-devops-host-keys.service",
      "systemctl start --no-block hello-devops-host-keys.service",
      "amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/opt/aws/amazon-cloudwatch-agent/etc/hello-devops.json",
    ]);
    expect(await box.run("id", "--name", "--groups", "ec2-user")).toBe("ec2-user docker");
    expect(await box.run("cat", "/etc/hello-devops/monitoring")).toBe("core");
  });

  test("keeps containers alive while Docker restarts, and caps their logs", async () => {
    const box = await bootedBox();
    const settings = JSON.parse(await box.run("cat", "/etc/docker/daemon.json"));
    expect(settings).toEqual({
      "live-restore": true,
      "log-driver": "json-file",
      "log-opts": { "max-size": "10m", "max-file": "3" },
    });
  });

  test("changes nothing when it is run again", async () => {
    const box = await bootedBox();
    const before = await box.files("/etc", "/usr/local", "/opt");
    expect(await box.ended(`${programs}/setup`)).toMatchObject({ code: 0 });
    expect(await box.files("/etc", "/usr/local", "/opt")).toBe(before);
  });

  test("goes on where a part fails, says which, and asks for packages five times", async () => {
    const box = await boxWithPrograms();
    await box.run("touch", "/fail/dnf", "/fail/systemctl");
    const ended = await box.ended(`${programs}/setup`);
    const calls = await box.calls();
    expect(ended.code).toBe(1);
    expect(ended.output).toContain("setup: failed: systemctl enable --now docker.service");
    expect(calls.filter((call) => call.startsWith("dnf "))).toHaveLength(5);
    expect(calls.at(-1)).toMatch(/^amazon-cloudwatch-agent-ctl /);
  });
});

describe("the host's keys", () => {
  const makeKeys = (box: Box) => box.run("bash", "-c", "rm -f /etc/ssh/ssh_host_*; mkdir -p /etc/ssh; ssh-keygen -A");
  const inBox = async (box: Box) => {
    const text = await box.run("bash", "-c", "cat /etc/ssh/ssh_host_*_key.pub");
    return lines(text).map((line) => line.split(" ").slice(0, 2).join(" "));
  };

  test("are where a deploy reads them, and so are new ones after the next boot", async () => {
    const box = await boxWithPrograms();
    for (const _ of ["the first boot", "the next"]) {
      await makeKeys(box);
      expect(await box.ended(`${programs}/host-keys`)).toMatchObject({ code: 0 });
      const { keys, source } = await hostKeys(await testAws(), instance.id);
      expect(keys).toEqual(await inBox(box));
      expect(source).toBe(`the SSM parameter /hello-devops/host-keys/${instance.id}`);
    }
  });

  test("are tried again by systemd, as the program fails, while they can't be written", async () => {
    const box = await boxWithPrograms();
    await makeKeys(box);
    const elsewhere = "http://127.0.0.1:9/"; // where nobody listens
    const tries = ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"].map((name) =>
      box.ended("env", `${name}=${elsewhere}`, "AWS_MAX_ATTEMPTS=1", `${programs}/host-keys`),
    );
    for (const { code } of await Promise.all(tries)) expect(code).not.toBe(0);
    const unit = await box.run("cat", "/etc/systemd/system/hello-devops-host-keys.service");
    expect(unit).toMatch(/^Restart=on-failure\nRestartSec=10$/m);
  });
});

describe("the data volume", () => {
  /** A volume of this size is attached, with what these words make of it. */
  const attach = async (box: Box, file: string, ...words: readonly string[]) => {
    await box.run("bash", "-c", `truncate --size=400M ${file} && ln -sf ${file} /dev/sdf`);
    if (words.length > 0) await box.run(...words, file);
  };
  const held = async (box: Box, file: string) => {
    const text = await box.run("blkid", "--probe", "--output", "export", file);
    return Object.fromEntries(lines(text).map((line) => line.split("=") as [string, string]));
  };
  const mounts = async (box: Box) => lines(await box.run("bash", "-c", "grep ' /data ' /etc/fstab || true"));
  const mount = (box: Box) => box.ended(`${programs}/data-volume`);
  const line = (uuid: string | undefined) =>
    `UUID=${uuid} /data auto defaults,nofail,x-systemd.before=docker.service 0 2`;

  test("is looked for, and nothing changes on a host without one", async () => {
    const box = await boxWithPrograms();
    expect(await mount(box)).toEqual({ code: 1, output: "/dev/sdf is not attached\n" });
    expect(await mounts(box)).toEqual([]);
    expect(await box.calls()).toEqual([]);
  });

  test("gets a file system once, and one line in fstab, however often the host boots", async () => {
    const box = await boxWithPrograms();
    await attach(box, "/new");
    expect(await mount(box)).toEqual({ code: 0, output: "" });
    const first = await held(box, "/new");
    expect(first.TYPE).toBe("xfs");
    expect(await mount(box)).toEqual({ code: 0, output: "" });
    expect(await held(box, "/new")).toEqual(first);
    expect(await mounts(box)).toEqual([line(first.UUID)]);
    expect((await box.calls()).filter((call) => call.startsWith("mount "))).toEqual(["mount /data"]);
  });

  test("keeps the file system that it has, and another volume takes the place of the one before", async () => {
    const box = await boxWithPrograms();
    await attach(box, "/used", "mkfs.ext4", "-q", "-F");
    const before = await box.run("sha256sum", "/used");
    expect(await mount(box)).toMatchObject({ code: 0 });
    expect(await box.run("sha256sum", "/used")).toBe(before);
    expect(await mounts(box)).toEqual([line((await held(box, "/used")).UUID)]);
    await attach(box, "/other", "mkfs.xfs", "-q");
    expect(await mount(box)).toMatchObject({ code: 0 });
    expect(await mounts(box)).toEqual([line((await held(box, "/other")).UUID)]);
  });

  test("is left alone when what it holds is not clear", async () => {
    const box = await boxWithPrograms();
    await attach(box, "/unclear", "mkfs.ext4", "-q", "-F");
    await box.run(
      "bash",
      "-c",
      "printf XFSB | dd of=/unclear conv=notrunc status=none; mkswap --force --quiet /unclear-swap || true",
    );
    const before = await box.run("sha256sum", "/unclear");
    await mount(box);
    expect(await box.run("sha256sum", "/unclear")).toBe(before);
  });
});

describe("security updates", () => {
  const wanted = [
    "dnf --assumeyes --releasever=latest --security upgrade",
    "systemctl start docker",
    "dnf needs-restarting --reboothint",
  ];

  test("come from the latest release, and Docker runs after them", async () => {
    const box = await boxWithPrograms();
    expect(await box.ended(`${programs}/updates`)).toMatchObject({ code: 0 });
    expect(await box.calls()).toEqual(wanted);
  });

  test("that fail are told, and Docker runs all the same", async () => {
    const box = await boxWithPrograms();
    await box.run("touch", "/fail/dnf");
    expect(await box.ended(`${programs}/updates`)).toMatchObject({ code: 1 });
    expect(await box.calls()).toEqual(wanted);
  });
});
