// From where QEMU starts us (PVH: 32-bit protected mode, flat, no paging, start info in %ebx) to `start` in long
// mode; and the same way for the second CPU, which starts in real mode.

.set CPUS, 2
.set STACK, 0x100000
.set TRAMPOLINE, 0x8000

.section .note.pvh, "a", @note
.balign 4
.long 4, 8, 18                  // name, description; type: XEN_ELFNOTE_PHYS32_ENTRY
.asciz "Xen"
.quad boot32

.section .text.boot, "ax", @progbits
.code32
.global boot32
boot32:
    movl %ebx, %edi             // first argument: the start info
    xorl %esi, %esi             // second argument: which CPU

enter_long_mode:
    movl %esi, %eax
    incl %eax
    imull $STACK, %eax
    leal stacks(%eax), %esp
    movl $page_map, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x620, %eax            // PAE; OSFXSR and OSXMMEXCPT, since the compiler uses SSE
    movl %eax, %cr4
    movl $0xc0000080, %ecx      // EFER
    rdmsr
    orl $0x100, %eax            // LME
    wrmsr
    movl %cr0, %eax
    andl $0x9ffffff3, %eax      // caches on; neither EM nor TS
    orl $0x80000003, %eax       // paging, MP, protection
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $long_mode

.code64
long_mode:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %ebp, %ebp
    movl %edi, %edi             // zero-extended
    movl %esi, %esi
    call start
    ud2

// Copied to TRAMPOLINE, where the second CPU starts.
.code16
.global trampoline, trampoline_end
trampoline:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl (TRAMPOLINE + trampoline_gdt_pointer - trampoline)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x18, $(TRAMPOLINE + trampoline32 - trampoline)
.code32
trampoline32:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %edi, %edi
    movl $1, %esi
    movl $enter_long_mode, %eax
    jmpl *%eax
trampoline_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
trampoline_end:

// Interrupts are enabled in `idle` alone, so that a handler has nothing to save: what called it says that
// everything may be clobbered. Five words are on the stack, which was aligned before them.
.code64
.global on_interrupt, on_exception
on_interrupt:
    subq $8, %rsp
    call interrupted
    addq $8, %rsp
    iretq

// No exception is survived. The words above the stack pointer say which and where.
on_exception:
    movq %rsp, %rdi
    andq $-16, %rsp
    call excepted
    ud2

.section .data.boot, "aw", @progbits
.balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    // 0x08: 64-bit code
    .quad 0x00cf93000000ffff    // 0x10: data
    .quad 0x00cf9b000000ffff    // 0x18: 32-bit code
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

// The first 4 GiB, each address its own, in pages of 2 MiB.
.balign 4096
page_map:
    .quad directories + 0x3
    .zero 4096 - 8
directories:
    .quad pages + 0x3, pages + 0x1003, pages + 0x2003, pages + 0x3003
    .zero 4096 - 32
pages:
.set page, 0
.rept 2048
    .quad (page << 21) | 0x83
    .set page, page + 1
.endr

.section .bss.stacks, "aw", @nobits
.balign 16
stacks:
    .zero CPUS * STACK
