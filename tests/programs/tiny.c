// The smallest program there is: no libc, ends at once with 0. Storms of processes are made of it.
void _start(void) {
#if defined(__x86_64__)
  __asm__ volatile("mov $60, %eax\n\txor %edi, %edi\n\tsyscall");
#elif defined(__aarch64__)
  __asm__ volatile("mov x8, #93\n\tmov x0, #0\n\tsvc #0");
#else
#error "tiny.c knows x86_64 and aarch64"
#endif
  __builtin_unreachable();
}
