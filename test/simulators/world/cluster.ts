export interface ClusterState { [key: string]: unknown }
