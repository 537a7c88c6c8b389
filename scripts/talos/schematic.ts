// The schematic's ID, told offline and confirmed by the image factory when it answers.
import { textOf } from "../lib/run/errors.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { knownToFactory } = await toAct(() => import("../lib/talos/factory.ts"));
const { openHttp } = await toAct(() => import("../lib/http/http.ts"));
const { installerImage, readSchematic } = await toAct(() => import("../lib/talos/schematic.ts"));
const { table } = await toAct(() => import("../lib/run/ui.ts"));

export const schematic = procedure({
  name: "talos:schematic",
  about: "show the schematic's ID, and confirm it with the factory if it answers",
  scope: "none",
  readOnly: true,
  options: {},
  async run(_values, context) {
    const read = await readSchematic(context);
    const { id, canonical } = read;
    const installer = installerImage(context, read);
    const factory = await knownToFactory(openHttp(context), id).then(
      (known) => (known ? "knows this schematic" : "does not know it yet: task talos:prepare-iso hands it in"),
      (error: unknown) => {
        if (context.signal.aborted) throw error;
        return `could not be asked: ${textOf(error)}`;
      },
    );
    context.ui.result(
      { id, installer, factory, canonical },
      table(
        ["schematic", id],
        [
          ["installer", installer],
          ["factory", factory],
        ],
      ),
    );
  },
});

await main(import.meta, schematic);
