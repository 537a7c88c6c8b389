// A kubectl that is refused ends a stage in the user's terms: what failed, why, in which state, and the next command.
import { expect, test } from "vitest";
import { crds } from "../../../scripts/bootstrap/crds.ts";
import { ourKubeconfig } from "../flux/our-kubeconfig.ts";
import { type Answer, record } from "../recorder.ts";

const CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\nspec: {}\n";
const refused = { err: "Error from server (Forbidden): no", code: 1 };
const act = async (answers: Record<string, Answer>) => {
  const lab = await record({
    ...(await ourKubeconfig()),
    answers: { helmfile: CRD, "kubectl get customresourcedefinitions": "", "cat | kubectl apply": "applied", ...answers },
  });
  return String(
    await crds.act(lab.context, { state: "to do", saw: "", facts: ["things.example.com"] }, []).catch((error: unknown) => error),
  );
};

test("definitions that the API refuses", async () =>
  expect(await act({ "cat | kubectl apply": refused })).toContain(
    "could not create 1 CustomResourceDefinitions\n  said: Error from server (Forbidden): no\n  now:  those that the API accepted stay; nothing uses them yet\n  next: task bootstrap:crds",
  ));

test("definitions that the API does not serve in time", async () =>
  expect(
    await act({ "kubectl wait": { err: "error: timed out waiting for the condition on customresourcedefinitions/x", code: 1 } }),
  ).toContain(
    "could not wait until the API serves the new definitions\n  said: error: timed out waiting for the condition on customresourcedefinitions/x\n  now:  they are applied\n  next: task bootstrap:crds",
  ));
