"""The keys and buttons that a file may name, and what each system's library calls them."""

KEYS = {
    "alt": "KEY_LEFTALT",
    "alt_gr": "KEY_RIGHTALT",
    "backspace": "KEY_BACKSPACE",
    "caps_lock": "KEY_CAPSLOCK",
    "cmd": "KEY_LEFTMETA",
    "ctrl": "KEY_LEFTCTRL",
    "delete": "KEY_DELETE",
    "down": "KEY_DOWN",
    "end": "KEY_END",
    "enter": "KEY_ENTER",
    "esc": "KEY_ESC",
    "home": "KEY_HOME",
    "insert": "KEY_INSERT",
    "left": "KEY_LEFT",
    "media_next": "KEY_NEXTSONG",
    "media_play_pause": "KEY_PLAYPAUSE",
    "media_previous": "KEY_PREVIOUSSONG",
    "media_volume_down": "KEY_VOLUMEDOWN",
    "media_volume_mute": "KEY_MUTE",
    "media_volume_up": "KEY_VOLUMEUP",
    "menu": "KEY_COMPOSE",
    "page_down": "KEY_PAGEDOWN",
    "page_up": "KEY_PAGEUP",
    "pause": "KEY_PAUSE",
    "print_screen": "KEY_SYSRQ",
    "right": "KEY_RIGHT",
    "shift": "KEY_LEFTSHIFT",
    "space": "KEY_SPACE",
    "tab": "KEY_TAB",
    "up": "KEY_UP",
    **{f"f{n}": f"KEY_F{n}" for n in range(1, 13)},
}
"""Named keys: pynput's name -> evdev's."""

SIGNS = {
    "-": "KEY_MINUS",
    "=": "KEY_EQUAL",
    "[": "KEY_LEFTBRACE",
    "]": "KEY_RIGHTBRACE",
    ";": "KEY_SEMICOLON",
    "'": "KEY_APOSTROPHE",
    "`": "KEY_GRAVE",
    "\\": "KEY_BACKSLASH",
    ",": "KEY_COMMA",
    ".": "KEY_DOT",
    "/": "KEY_SLASH",
    **{sign: f"KEY_{sign.upper()}" for sign in "abcdefghijklmnopqrstuvwxyz0123456789"},
}
"""Keys of one character -> evdev's name; evdev knows places on a US keyboard, whatever is printed on them."""

BUTTONS = {"left": "BTN_LEFT", "middle": "BTN_MIDDLE", "right": "BTN_RIGHT"}
"""Mouse buttons: pynput's name -> evdev's."""

WHEEL = {"scroll_up": (0, 1), "scroll_down": (0, -1), "scroll_left": (-1, 0), "scroll_right": (1, 0)}
"""Turns of the wheel: (right, up) notches."""

AXES = ("x", "y")
"""Where the pointer is: an analogue value moves it along one axis of the screen."""
