// The simulation takes time in proportion to the tree: what a tree of four times the size costs, and that a thousand applications are no wait.
import { expect, it } from "vitest";
import { application, home } from "./home.ts";
import { kustomization, object, outcome } from "./tree.ts";

const applications = (count: number) => Array.from({ length: count }, (_, index) => application(`app-${index}`));
/** Milliseconds of processor time: the machine may be busy with other tests. */
const cost = (work: () => void) => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
const steps = (count: number) => outcome(home(...applications(count))).model.steps.length;

it("steps grow with the applications, one by one", () => {
  expect(steps(40) - steps(30)).toBe(10 * (steps(1) - steps(0)));
});

it("a thousand applications cost far less than the square of what a hundred cost", () => {
  const few = home(...applications(100));
  const one = cost(() => outcome(few));
  const tree = home(...applications(1000));
  const spent = cost(() => {
    const { findings, waves } = outcome(tree);
    expect(findings.map(({ rule }) => rule)).toEqual(["populated-volumes"]);
    expect(waves.flatMap(({ kustomizations }) => kustomizations)).toHaveLength(1010);
  });
  expect(spent).toBeLessThan(60 * one); // ten times the applications; a hundred times the cost is a square
});

it("neither a chain of a thousand dependencies nor a circle of as many is slow", () => {
  const link = (index: number, before: number) =>
    kustomization(`apps/link-${index}`, { dependsOn: [{ name: `link-${before}` }] }, object(`v1 ConfigMap apps/link-${index}`));
  const chain = Array.from({ length: 1000 }, (_, index) => (index === 0 ? kustomization("apps/link-0", {}) : link(index, index - 1)));
  const circle = Array.from({ length: 1000 }, (_, index) => link(index, (index + 999) % 1000));
  const spent = cost(() => {
    expect(outcome(home(...chain)).findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(
      outcome(home(...circle))
        .findings.filter(({ level }) => level === "error")
        .map(({ rule }) => rule),
    ).toEqual(["dependency-circle"]);
  });
  expect(spent).toBeLessThan(60_000); // about one second; without the order of the chain it takes minutes
});
