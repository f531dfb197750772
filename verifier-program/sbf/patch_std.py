#!/usr/bin/env python3
"""Copies the library sources of rustc and teaches `std` the operating system `solana`.

usage: patch_std.py SOURCE_LIBRARY DESTINATION_LIBRARY

A Solana program has no threads, no entropy, no writable statics and an allocator of its own; what
`std` needs of these is answered here. Each edit names the text it expects and how often, and stops
when the sources look otherwise.
"""

import pathlib
import re
import shutil
import sys

ALLOCATOR = """use crate::alloc::{GlobalAlloc, Layout, System};

// Programs bring a `#[global_allocator]`; this one exists because `std` names it.
#[stable(feature = "alloc_system_type", since = "1.28.0")]
unsafe impl GlobalAlloc for System {
    #[inline]
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        crate::ptr::null_mut()
    }
    #[inline]
    unsafe fn dealloc(&self, _ptr: *mut u8, _layout: Layout) {}
}
"""

PANIC_HANDLER = """#[cfg(target_os = "solana")]
#[panic_handler]
pub fn solana_panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "Rust" { fn custom_panic(info: &core::panic::PanicInfo<'_>); }
    unsafe extern "C" { fn abort() -> !; }
    unsafe { custom_panic(info); abort() }
}

#[cfg(not(target_os = "solana"))]
"""

BEGIN_PANIC = """    #[cfg(target_os = "solana")]
    {
        let any: &dyn Any = &msg;
        match any.downcast_ref::<&'static str>() {
            Some(m) => core::panic!("{m}"),
            None => core::panic!("Box<dyn Any>"),
        }
    }
    #[cfg(not(target_os = "solana"))]
    {
"""

PANIC_FMT = """// Inlined, so that what only a message with values needs (all of formatting) is never linked; such a message is
// dropped. Literal messages, and file, line and column of every panic, stay.
#[cfg(target_os = "solana")]
#[inline]
#[track_caller]
#[lang = "panic_fmt"]
#[rustc_do_not_const_check]
#[rustc_const_stable_indirect]
pub const fn panic_fmt(fmt: fmt::Arguments<'_>) -> ! {
    solana_panic(fmt.as_str(), Location::caller())
}

#[cfg(target_os = "solana")]
#[inline(never)]
#[cold]
fn solana_panic(literal: Option<&'static str>, location: &'static Location<'static>) -> ! {
    unsafe extern "Rust" {
        #[lang = "panic_impl"]
        fn panic_impl(pi: &PanicInfo<'_>) -> !;
    }
    struct Dropped;
    impl fmt::Display for Dropped {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Ok(())
        }
    }
    match literal {
        // SAFETY: `panic_impl` is defined in safe Rust code.
        Some(text) => unsafe {
            panic_impl(&PanicInfo::new(&fmt::Arguments::from_str(text), location, false, false))
        },
        // SAFETY: as above.
        None => unsafe {
            panic_impl(&PanicInfo::new(&format_args!("{Dropped}"), location, false, false))
        },
    }
}

#[cfg(not(target_os = "solana"))]
"""


class Tree:
    """The copy being edited."""

    def __init__(self, root: pathlib.Path):
        self.root = root

    def read(self, name):
        return (self.root / name).read_text()

    def write(self, name, text):
        (self.root / name).write_text(text)

    def replace(self, name, old, new, count=1):
        """Replaces `old`, which must occur `count` times (None: at least once)."""
        text = self.read(name)
        found = text.count(old)
        if found == 0 or (count is not None and found != count):
            sys.exit(f"{name}: expected {count or 'some'} of {old!r}, found {found}")
        self.write(name, text.replace(old, new))

    def close_block_before(self, name, start, end, close):
        """Inserts `close` before the first `end` that follows `start`."""
        text = self.read(name)
        at = text.index(end, text.index(start))
        self.write(name, text[:at] + close + text[at:])


def allocation(tree):
    name = "std/src/sys/alloc/mod.rs"
    tree.replace(name, '    target_arch = "xtensa",\n)) {\n    8',
                 '    target_arch = "xtensa",\n    target_arch = "bpf",\n)) {\n    8')
    zkvm = '    target_os = "zkvm" => {\n        mod zkvm;\n    }'
    tree.replace(name, zkvm, zkvm + '\n    target_os = "solana" => {\n        mod solana;\n    }')
    tree.write("std/src/sys/alloc/solana.rs", ALLOCATOR)
    # Out of memory: a hook would be a writable static.
    old = ("    crate::sys::backtrace::__rust_end_short_backtrace(|| {\n"
           "        let hook = HOOK.load(Ordering::Acquire);")
    tree.replace("std/src/alloc.rs", old,
                 '    #[cfg(target_os = "solana")]\n    { let _ = layout; core::panic!("out of memory") }\n'
                 '    #[cfg(not(target_os = "solana"))]\n' + old)


def system_traits(tree):
    also = 'target_os = "zkvm",\n        target_os = "solana",'
    tree.replace("std/src/sys/io/error/mod.rs", 'target_os = "zkvm",', also)
    tree.replace("std/src/sys/thread_local/mod.rs", 'target_os = "zkvm",', also, 2)
    tree.replace("std/src/sys/random/mod.rs", 'target_os = "xous",',
                 'target_os = "xous",\n        target_os = "solana",', None)
    tree.replace("std/src/sys/pal/unsupported/common.rs", "    core::intrinsics::abort();",
                 '    unsafe extern "C" { fn abort() -> !; }\n    unsafe { abort() }')


def panics(tree):
    name = "std/src/panicking.rs"
    text = tree.read(name)
    match = re.search(r"#\[cfg\(not\(any\(test, doctest\)\)\)\]\n#\[panic_handler\]\n|#\[panic_handler\]\n", text)
    if match is None:
        sys.exit(f"{name}: no panic handler found")
    tree.write(name, text[:match.start()] + PANIC_HANDLER + text[match.start():])
    head = "pub const fn begin_panic<M: Any + Send>(msg: M) -> ! {\n"
    tree.replace(name, head, head + BEGIN_PANIC)
    tree.close_block_before(name, head, "\n}\n", "\n    }")


def panic_messages(tree):
    name = "core/src/panicking.rs"
    head = ('#[cfg_attr(not(panic = "immediate-abort"), inline(never), cold)]\n#[cfg_attr(panic = "immediate-abort", inline)]\n'
            '#[track_caller]\n#[lang = "panic_fmt"]')
    tree.replace(name, head, PANIC_FMT + head)
    tree.replace(name, '            if cfg!(panic = "immediate-abort") {\n                super::intrinsics::abort()\n            }\n',
                 '            #[cfg(target_os = "solana")]\n            return solana_panic(fmt.as_str(), Location::caller());\n')


def io_errors(tree):
    # An error keeps its kind only: what it carries would be boxed where it arises and freed where it is dropped,
    # that is wherever anything is read or written.
    name = "std/src/io/error.rs"
    for made in ("Self::_new(kind, error.into())", "Self::_new(ErrorKind::Other, error.into())"):
        kind = made[len("Self::_new("):].split(",")[0]
        tree.replace(name, f"        {made}\n",
                     f'        #[cfg(target_os = "solana")]\n        {{\n            let _ = error;\n            Error::from({kind})\n        }}\n'
                     f'        #[cfg(not(target_os = "solana"))]\n        {made}\n')
    free = "            let _ = decode_repr(self.0, |p| Box::<Custom>::from_raw(p));\n"
    tree.replace("std/src/io/error/repr_bitpacked.rs", free, '            #[cfg(not(target_os = "solana"))]\n' + free)


def format_values(tree):
    # `format!` of values is empty: only messages of errors are made by it, which nobody reads.
    tree.replace("alloc/src/fmt.rs", "    args.as_str().map_or_else(|| format_inner(args),",
                 '    #[cfg(target_os = "solana")]\n    return args.as_str().map_or_else(string::String::new, crate::borrow::ToOwned::to_owned);\n'
                 '    #[cfg(not(target_os = "solana"))]\n    args.as_str().map_or_else(|| format_inner(args),')


def one_allocation(tree):
    # One copy of the allocator, called, rather than one at every allocation.
    tree.replace("alloc/src/alloc.rs", "#[inline]\n#[cfg_attr(miri, track_caller)] // even without panics, this helps for Miri backtraces\npub unsafe fn alloc(",
                 '#[cfg_attr(not(target_os = "solana"), inline)]\n#[cfg_attr(target_os = "solana", inline(never))]\n#[cfg_attr(miri, track_caller)]\npub unsafe fn alloc(')


def hash_keys(tree):
    # Fixed keys: random ones would want entropy and a writable thread local.
    name = "std/src/hash/random.rs"
    head = "    pub fn new() -> RandomState {\n"
    tree.replace(name, head, head +
                 '        #[cfg(target_os = "solana")]\n        return RandomState { k0: 0, k1: 1 };\n'
                 '        #[cfg(not(target_os = "solana"))]\n        {\n')
    tree.close_block_before(name, head, "\n    }\n", "\n        }")


def main():
    source, destination = (pathlib.Path(argument) for argument in sys.argv[1:3])
    shutil.copytree(source, destination, symlinks=True)
    tree = Tree(destination)
    for edit in (allocation, system_traits, panics, panic_messages, io_errors, format_values,
                 one_allocation, hash_keys):
        edit(tree)


if __name__ == "__main__":
    main()
