// Descriptors that tk opens for its reporter: above the standard ones also where those were closed when tk was started,
// and never open in the program.
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block, CString } from "../host/memory.ts";
import { NR } from "../host/syscalls.ts";
import { openNameless } from "../host/descriptors.ts";
import { aboveStandard } from "../host/pipes.ts";

/** A file without a name, in memory, or in $TMPDIR where that cannot be; -errno when there is neither. */
export function memoryFile(): number {
  const MFD_CLOEXEC = 1;
  const fd = openKernel().call(NR.memfd_create, new CString("tk").address, MFD_CLOEXEC);
  return aboveStandard(fd >= 0 ? fd : openNameless(process.env["TMPDIR"] ?? "/tmp"));
}

/** A handle on a process that stays true when its pid is used again; undefined where the kernel has none. */
export function processHandle(pid: number): number | undefined {
  const fd = aboveStandard(openKernel().call(NR.pidfd_open, pid, 0));
  return fd < 0 ? undefined : fd;
}

/** Writes all of it; 0 or the errno. */
export function writeWhole(fd: number, bytes: Uint8Array): number {
  const kernel = openKernel();
  const block = new Block(bytes.length + 16);
  block.bytes.set(bytes);
  for (let at = 0; at < bytes.length;) {
    const n = kernel.call(NR.write, fd, block.at(at), bytes.length - at);
    if (n > 0) at += n;
    else if (n !== -ERRNO.EINTR && n !== -ERRNO.EAGAIN) return n === 0 ? ERRNO.EIO : -n;
  }
  return 0;
}
