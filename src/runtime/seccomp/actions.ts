import { invalidArgument, ownValue } from '#base';

/** `SECCOMP_RET_*` without data (seccomp(2)). */
const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};

/** `enum scmp_compare` (seccomp_rule_add(3)). */
const OPERATORS: Readonly<Record<string, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

const EPERM = 1;

/** The kernel's return value for an action. ERRNO and TRACE carry `errnoRet`, default EPERM. */
export function actionValue(action: string, errnoRet = EPERM): number {
  const value = ownValue(ACTIONS, action);
  if (value === undefined) throw invalidArgument(`invalid seccomp action: ${action}`);
  const carriesErrno = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  return carriesErrno ? value + (errnoRet & 0xffff) : value;
}

export function operatorValue(op: string): number {
  const value = ownValue(OPERATORS, op);
  if (value === undefined) throw invalidArgument(`invalid seccomp operator: ${op}`);
  return value;
}

/** Actions that only a runtime can serve (it must hold the notification descriptor). */
export const needsRuntime = (action: string): boolean => action === 'SCMP_ACT_NOTIFY';
