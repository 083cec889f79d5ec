import { createSys } from '#sys';
import { describeSysContract } from '#sys/testing';

describeSysContract({ name: 'kernel', create: createSys, cgroup: `gantry-contract-${process.pid}` });
