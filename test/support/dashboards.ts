import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkout } from "../bed/bed";

export interface DataSource {
  readonly type: string;
  readonly uid: string;
}
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: DataSource;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat?: string }[];
}
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly annotations: {
    readonly list: readonly {
      readonly name: string;
      readonly datasource: DataSource;
      readonly target: { readonly expr: string };
      readonly useValueForTime: boolean;
    }[];
  };
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly datasource: DataSource;
      readonly query: { readonly query: string };
    }[];
  };
}

const folder = join(checkout, "monitoring/grafana/dashboards");

/** What Grafana reads, by the file's name. */
export const dashboards: Readonly<Record<string, Dashboard>> = Object.fromEntries(
  readdirSync(folder).map((file) => [
    basename(file, ".json"),
    JSON.parse(readFileSync(join(folder, file), "utf8")) as Dashboard,
  ]),
);

/** A variable's question, label_values(SERIES, LABEL). */
export function labelValues(query: string): { readonly series: string; readonly label: string } {
  const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
  if (!series || !label) throw new Error(`not a question for a label's values: ${query}`);
  return { series, label };
}

export interface Query {
  /** where it stands, for a person */
  readonly where: string;
  readonly expr: string;
}

/** Every PromQL of every dashboard: of panels, annotations and variables. */
export const queries: readonly Query[] = Object.values(dashboards).flatMap(
  ({ uid, panels, annotations, templating }) => [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr }) => ({ where: `${uid}: ${title}, ${refId}`, expr })),
    ),
    ...annotations.list.map(({ name, target }) => ({ where: `${uid}: annotation ${name}`, expr: target.expr })),
    ...templating.list.map(({ name, query }) => ({
      where: `${uid}: variable ${name}`,
      expr: `count by (${labelValues(query.query).label}) (${labelValues(query.query).series})`,
    })),
  ],
);

/** As Grafana would send it, for one app and all of its releases. */
export function filledIn(expr: string, app: string, rateInterval: string): string {
  const filled = expr.replaceAll("$__rate_interval", rateInterval).replaceAll("$app", app).replaceAll("$release", ".+");
  if (filled.includes("$")) throw new Error(`a variable that nobody fills in: ${filled}`);
  return filled;
}
