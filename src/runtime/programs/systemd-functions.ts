import type { VersionedFunctions } from './stand-in-library.ts';

/** The library that crun and conmon are linked with for a journal and a service manager that we do not use with them. */
export const SYSTEMD_SONAME = 'libsystemd.so.0';

/** What crun 1.x and conmon 2.x take from it, with the versions systemd gave it (`nm -D`). */
export const SYSTEMD_FUNCTIONS: VersionedFunctions = {
  LIBSYSTEMD_209: [
    'sd_journal_send',
    'sd_journal_send_with_location',
    'sd_journal_sendv',
    'sd_journal_sendv_with_location',
    'sd_notify',
    'sd_notifyf',
  ],
  LIBSYSTEMD_221: [
    'sd_bus_call',
    'sd_bus_call_method',
    'sd_bus_default_system',
    'sd_bus_default_user',
    'sd_bus_error_free',
    'sd_bus_error_get_errno',
    'sd_bus_get_property_string',
    'sd_bus_message_append',
    'sd_bus_message_append_array',
    'sd_bus_message_append_strv',
    'sd_bus_message_close_container',
    'sd_bus_message_enter_container',
    'sd_bus_message_exit_container',
    'sd_bus_message_new_method_call',
    'sd_bus_message_open_container',
    'sd_bus_message_read',
    'sd_bus_message_read_strv',
    'sd_bus_message_skip',
    'sd_bus_message_unref',
    'sd_bus_open_system',
    'sd_bus_open_user',
    'sd_bus_process',
    'sd_bus_unref',
    'sd_bus_wait',
  ],
  LIBSYSTEMD_237: ['sd_bus_match_signal_async'],
  LIBSYSTEMD_246: ['sd_notify_barrier'],
};
