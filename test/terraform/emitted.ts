// Which metrics the CloudWatch agent sends with a configuration.

export interface Agent {
  readonly metrics: {
    readonly namespace: string;
    readonly append_dimensions: Readonly<Record<string, string>>;
    readonly aggregation_dimensions: readonly (readonly string[])[];
    readonly metrics_collected: Readonly<Record<string, Plugin>>;
  };
  readonly logs: {
    readonly logs_collected: {
      readonly files: { readonly collect_list: readonly Readonly<Record<string, unknown>>[] };
    };
  };
}

interface Plugin {
  readonly measurement: readonly string[];
  readonly resources?: readonly string[];
  readonly drop_device?: boolean;
  readonly drop_original_metrics?: readonly string[];
}

export type Dimensions = Readonly<Record<string, string>>;

export interface Host {
  readonly id: string;
  readonly mounts: readonly string[];
}

/** A metric as CloudWatch knows it. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
}

/** The dimensions that each plugin gives by itself, on one instance of Amazon Linux: a value of each. */
const own: Readonly<Record<string, (plugin: Plugin, mounts: readonly string[]) => readonly Dimensions[]>> = {
  cpu: () => [{ cpu: "cpu-total" }],
  mem: () => [{}],
  net: () => [{ interface: "ens5" }],
  disk: ({ resources = [], drop_device }, mounts) =>
    resources
      .filter((path) => mounts.includes(path))
      .map((path) => ({ path, fstype: "xfs", ...(drop_device ? {} : { device: "nvme0n1p1" }) })),
};

/**
 * As the agent's source has it (v1.300069.0, plugins/outputs/cloudwatch: BuildMetricDatum and ProcessRollup): a metric goes out with
 * all of its dimensions, unless drop_original_metrics names it, and with each set of aggregation_dimensions that is smaller than
 * those and part of them.
 *
 * @param host its id, and where disks are mounted on it
 */
export function emitted({ metrics }: Agent, host: Host): readonly Metric[] {
  const { namespace, append_dimensions, aggregation_dimensions, metrics_collected } = metrics;
  if (append_dimensions.InstanceId !== "$" + "{aws:InstanceId}")
    throw new Error("The agent would send the host's name.");
  const sent = Object.entries(metrics_collected).flatMap(([plugin, settings]) =>
    settings.measurement.flatMap((measurement) => {
      const name = `${plugin}_${measurement}`;
      return (own[plugin]?.(settings, host.mounts) ?? []).flatMap((dimensions) => {
        const raw: Dimensions = { InstanceId: host.id, ...dimensions };
        const smaller = aggregation_dimensions.filter(
          (set) => set.length < Object.keys(raw).length && set.every((key) => key in raw),
        );
        const rolled = smaller.map((set) => Object.fromEntries(set.map((key) => [key, raw[key] ?? ""])));
        const originals = settings.drop_original_metrics?.includes(name) ? [] : [raw];
        return [...originals, ...rolled].map((it) => ({ namespace, name, dimensions: it }));
      });
    }),
  );
  const byText = sent.map((metric) => [told(metric), metric] as const);
  return [...new Map(byText).values()];
}

/** In one line, by which two are compared. */
export const told = ({ namespace, name, dimensions }: Metric): string =>
  `${namespace} ${name} ${JSON.stringify(Object.entries(dimensions).sort())}`;
