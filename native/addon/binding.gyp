{
  "targets": [
    {
      "target_name": "pve_authenticator",
      "sources": [
        "addon.cc",
        "os_error.cc",
        "listen_on.cc",
        "polled.cc",
        "listener.cc",
        "accept_from.cc",
        "lines.cc",
        "login_lines.cc",
        "outlet.cc",
        "alarm.cc",
        "lock_exclusively.cc",
        "sha.cc",
        "hotp_window.cc",
        "hotp_values.cc",
        "small_file.cc",
        "read_small_file.cc",
        "look_up_user.cc",
        "groups_of.cc",
        "own_thread.cc",
        "identity.cc",
        "user_file.cc",
        "names.cc",
        "replace_file.cc",
        "file_as.cc",
        "harden_process.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_CPP_EXCEPTIONS",
        # A promise that is settled while its worker thread ends must not abort the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc!": ["-fno-exceptions"],
      "cflags_cc": [
        "-std=c++17",
        "-fexceptions",
        "-fvisibility=hidden",
        "-fstack-protector-strong",
        "-fstack-clash-protection",
        "-U_FORTIFY_SOURCE",
        "-D_FORTIFY_SOURCE=2",
        "-Wall",
        "-Wextra",
        "-Wformat=2",
        "-Wvla",
        "-Wundef",
        "-Werror"
      ],
      "ldflags": [
        "-Wl,-z,relro,-z,now,-z,noexecstack",
        # A thread of ours may hang for longer than the worker lives that loaded us.
        "-Wl,-z,nodelete",
        "-Wl,--as-needed,--fatal-warnings"
      ]
    }
  ]
}
