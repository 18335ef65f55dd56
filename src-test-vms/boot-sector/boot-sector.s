# boot-sector: a guest of 512 bytes for hypervisors whose KVM cannot run a whole Linux.
#
# It adds one to a word in each of 128 pages (0x10000 to 0x8ffff), for ever, and after each sweep prints the number of
# the sweep on COM1 as eight hex digits and a line feed. The number lives in RAM, so a copy of this guest that goes on
# from a checkpoint goes on counting from there, and one that was booted anew starts at 1.
#
# 16-bit real mode, loaded by the firmware at 0x7c00.
        .code16
        .globl  _start
        .set    COM1, 0x3f8
        .set    FIRST_PAGE, 0x1000      # segments: addresses divided by 16
        .set    PAST_LAST_PAGE, 0x9000
        .set    PAGE_STEP, 0x100        # 4,096 bytes

_start: cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp            # the stack grows down from here
        movl    $0, sweep

again:  movw    $FIRST_PAGE, %bx
page:   movw    %bx, %es
        incw    %es:0x10
        addw    $PAGE_STEP, %bx
        cmpw    $PAST_LAST_PAGE, %bx
        jne     page

        incl    sweep
        movl    sweep, %ebx
        movw    $8, %cx
digit:  roll    $4, %ebx                # the highest digit first
        movb    %bl, %al
        andb    $0x0f, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     0f
        addb    $('a' - '9' - 1), %al
0:      call    put
        loop    digit
        movb    $'\n', %al
        call    put
        jmp     again

# Writes al to COM1 when it can take a byte.
put:    movb    %al, %ah
        movw    $(COM1 + 5), %dx
1:      inb     %dx, %al
        testb   $0x20, %al              # transmit register empty
        jz      1b
        movw    $COM1, %dx
        movb    %ah, %al
        outb    %al, %dx
        ret

        .org    510
        .word   0xaa55
        .set    sweep, 0x7000           # a page of its own
