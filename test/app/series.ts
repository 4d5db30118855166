/** One line of what Prometheus reads: `name{label="value"} 1`. */
export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  kind: string;
  help: string;
  series: Series[];
}

/** The text that a scrape gets, by metric, as https://prometheus.io/docs/instrumenting/exposition_formats/ has it. */
export function familiesOf(text: string): Family[] {
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const [, name = "", help = ""] = /^# HELP (\S+) (.*)$/m.exec(block) ?? [];
      const [, kind = ""] = /^# TYPE \S+ (\S+)$/m.exec(block) ?? [];
      return { name, kind, help, series: seriesOf(block) };
    });
}

export const seriesOf = (text: string): Series[] =>
  [...text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = "", labels = "", value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, of]) => [key, of])),
    value: Number(value === "Nan" ? "NaN" : value),
  }));
