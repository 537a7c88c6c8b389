// A home that is to be killed: brings a cluster up, says where it is, and stays.
import { realCluster } from "./real-cluster.ts";

const { folder } = await realCluster();
process.stdout.write(`${folder}\n`);
