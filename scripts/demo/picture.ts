// A graph as an SVG that reads in GitHub's light and dark theme: what a person sees in Grafana, drawn from Prometheus' own answers.
import { type Frame, highest, type Mark, type Series } from "./graph";

const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [760, 130, 60, 30, 70];
const COLOURS = ["#8b949e", "#2f81f7", "#d1242f", "#bf8700"];

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

/** Panels below each other, over the same time; marks are lines through all of them. */
export function picture(panels: readonly Panel[], frame: Frame, marks: readonly Mark[]): string {
  const x = (at: number) => (LEFT + ((at - frame.from) / (frame.to - frame.from)) * WIDTH).toFixed(1);
  const height = TOP + panels.length * (HEIGHT + GAP);
  const lines = marks.map(([at, text], n) => {
    const y = height - 36 + (n % 2) * 16; // side by side they would be in each other's way
    return `<path d="M${x(at)} ${TOP}V${y - 12}" stroke="#8b949e" stroke-dasharray="3"/><text x="${x(at)}" y="${y}" text-anchor="middle">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 100} ${height}" font-family="sans-serif" font-size="12" fill="#8b949e">
${panels.map((panel, n) => drawn(panel, frame, x, TOP + n * (HEIGHT + GAP))).join("\n")}
${lines.join("\n")}
</svg>
`;
}

function drawn({ title, series }: Panel, { from, to, step }: Frame, x: (at: number) => string, top: number): string {
  const most = highest(series) || 1;
  const y = (value: number) => (top + HEIGHT - (value / most) * HEIGHT).toFixed(1);
  const paths = series.map(({ name, values }, n) => {
    const moments = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step);
    const points = moments.filter((at) => !Number.isNaN(values.get(at) ?? Number.NaN));
    const colour = COLOURS[n % COLOURS.length];
    const path = points.map(
      (at, n) => `${n === 0 || at - (points[n - 1] ?? 0) > step ? "M" : "L"}${x(at)} ${y(values.get(at) ?? 0)}`,
    );
    const legend = `<text x="${LEFT + WIDTH + 14}" y="${top + 12 + n * 18}" fill="${colour}">${name}</text>`;
    return `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>${legend}`;
  });
  const axis = `<path d="M${LEFT} ${top}V${top + HEIGHT}H${LEFT + WIDTH}" fill="none" stroke="#8b949e"/>`;
  const scale = `<text x="${LEFT - 6}" y="${top + 10}" text-anchor="end">${Number(most.toPrecision(2))}</text><text x="${LEFT - 6}" y="${top + HEIGHT}" text-anchor="end">0</text>`;
  return `<text x="${LEFT}" y="${top - 10}" font-weight="bold">${title}</text>\n${axis}${scale}\n${paths.join("\n")}`;
}
