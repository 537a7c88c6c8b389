// Who may call what of a Talos node, by the roles in the organisation of their certificate.

const READER = [
  "cluster.ClusterService/HealthCheck",
  "cosi.resource.State/Get",
  "cosi.resource.State/List",
  "cosi.resource.State/Watch",
  "machine.ImageService/List",
  "machine.MachineService/ApplyConfiguration", // in maintenance only, as its handler sees to
  "machine.MachineService/Dmesg",
  "machine.MachineService/EtcdAlarmList",
  "machine.MachineService/EtcdMemberList",
  "machine.MachineService/EtcdStatus",
  "machine.MachineService/Events",
  "machine.MachineService/Hostname",
  "machine.MachineService/ImageList",
  "machine.MachineService/List",
  "machine.MachineService/Logs",
  "machine.MachineService/ServiceList",
  "machine.MachineService/Version",
  "storage.StorageService/Disks",
  "time.TimeService/Time",
  "time.TimeService/TimeCheck",
];
const OPERATOR = [
  ...READER,
  "machine.ImageService/Pull",
  "machine.MachineService/EtcdAlarmDisarm",
  "machine.MachineService/EtcdDefragment",
  "machine.MachineService/EtcdSnapshot",
  "machine.MachineService/ImagePull",
  "machine.MachineService/Reboot",
  "machine.MachineService/ServiceRestart",
  "machine.MachineService/ServiceStart",
  "machine.MachineService/ServiceStop",
  "machine.MachineService/Shutdown",
];
const BACKUP = ["EtcdAlarmList", "EtcdMemberList", "EtcdSnapshot", "EtcdStatus"].map((name) => `machine.MachineService/${name}`);

const MAY: Record<string, string[]> = { "os:reader": READER, "os:operator": OPERATOR, "os:etcd:backup": BACKUP };

export const ADMIN = "os:admin";
/** What everyone is to a node in maintenance. */
export const MAINTENANCE = ["os:reader"];

/** Whether one of these roles may call this method. */
export const mayCall = (roles: string[], method: string) => roles.some((role) => role === ADMIN || MAY[role]?.includes(method));
