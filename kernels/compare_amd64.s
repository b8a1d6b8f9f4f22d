//go:build !purego

#include "textflag.h"

// Each function compares the rows of a with b, or with the one value at b, and
// stores a byte of bits for eight rows. All have the signature
//
//	func(dst *byte, a, b unsafe.Pointer, blocks int)
//
// where blocks, above zero, is the number of bytes. In Y0 stands the scalar.

#define ARGS \
	MOVQ dst+0(FP), DI \
	MOVQ a+8(FP), SI \
	MOVQ b+16(FP), DX \
	MOVQ blocks+24(FP), CX

// BITS64 stores the sign bits of eight 64-bit lanes, four in Y1 and four in Y2.
#define BITS64 \
	VMOVMSKPD Y1, AX \
	VMOVMSKPD Y2, BX \
	SHLL $4, BX \
	ORL  BX, AX \
	MOVB AX, (DI)

#define NEXT(width, loop) \
	ADDQ $(8*width), SI \
	INCQ DI \
	DECQ CX \
	JNZ  loop \
	VZEROUPPER \
	RET

// a == s
TEXT ·eqInt64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTQ (DX), Y0
eq64s:
	VPCMPEQQ (SI), Y0, Y1
	VPCMPEQQ 32(SI), Y0, Y2
	BITS64
	NEXT(8, eq64s)

// a < s, as s > a
TEXT ·ltInt64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTQ (DX), Y0
lt64s:
	VPCMPGTQ (SI), Y0, Y1
	VPCMPGTQ 32(SI), Y0, Y2
	BITS64
	NEXT(8, lt64s)

// a > s
TEXT ·gtInt64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTQ (DX), Y0
gt64s:
	VMOVDQU  (SI), Y1
	VMOVDQU  32(SI), Y2
	VPCMPGTQ Y0, Y1, Y1
	VPCMPGTQ Y0, Y2, Y2
	BITS64
	NEXT(8, gt64s)

// a == b
TEXT ·eqInt64(SB), NOSPLIT, $0-32
	ARGS
eq64:
	VMOVDQU  (SI), Y1
	VMOVDQU  32(SI), Y2
	VPCMPEQQ (DX), Y1, Y1
	VPCMPEQQ 32(DX), Y2, Y2
	BITS64
	ADDQ $64, DX
	NEXT(8, eq64)

// a > b
TEXT ·gtInt64(SB), NOSPLIT, $0-32
	ARGS
gt64:
	VMOVDQU  (SI), Y1
	VMOVDQU  32(SI), Y2
	VPCMPGTQ (DX), Y1, Y1
	VPCMPGTQ 32(DX), Y2, Y2
	BITS64
	ADDQ $64, DX
	NEXT(8, gt64)

TEXT ·eqInt32Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTD (DX), Y0
eq32s:
	VPCMPEQD  (SI), Y0, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DI)
	NEXT(4, eq32s)

TEXT ·ltInt32Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTD (DX), Y0
lt32s:
	VPCMPGTD  (SI), Y0, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DI)
	NEXT(4, lt32s)

TEXT ·gtInt32Scalar(SB), NOSPLIT, $0-32
	ARGS
	VPBROADCASTD (DX), Y0
gt32s:
	VMOVDQU   (SI), Y1
	VPCMPGTD  Y0, Y1, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DI)
	NEXT(4, gt32s)

TEXT ·eqInt32(SB), NOSPLIT, $0-32
	ARGS
eq32:
	VMOVDQU   (SI), Y1
	VPCMPEQD  (DX), Y1, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DI)
	ADDQ $32, DX
	NEXT(4, eq32)

TEXT ·gtInt32(SB), NOSPLIT, $0-32
	ARGS
gt32:
	VMOVDQU   (SI), Y1
	VPCMPGTD  (DX), Y1, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DI)
	ADDQ $32, DX
	NEXT(4, gt32)

// Predicates of VCMPPD: 0 is equal, 1 less, 2 less or equal; false for NaN.
TEXT ·eqFloat64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VBROADCASTSD (DX), Y0
eqf:
	VMOVUPD (SI), Y1
	VMOVUPD 32(SI), Y2
	VCMPPD  $0, Y0, Y1, Y1
	VCMPPD  $0, Y0, Y2, Y2
	BITS64
	NEXT(8, eqf)

TEXT ·ltFloat64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VBROADCASTSD (DX), Y0
ltf:
	VMOVUPD (SI), Y1
	VMOVUPD 32(SI), Y2
	VCMPPD  $1, Y0, Y1, Y1
	VCMPPD  $1, Y0, Y2, Y2
	BITS64
	NEXT(8, ltf)

TEXT ·leFloat64Scalar(SB), NOSPLIT, $0-32
	ARGS
	VBROADCASTSD (DX), Y0
lef:
	VMOVUPD (SI), Y1
	VMOVUPD 32(SI), Y2
	VCMPPD  $2, Y0, Y1, Y1
	VCMPPD  $2, Y0, Y2, Y2
	BITS64
	NEXT(8, lef)

// func onesAVX2(out *int32, bits *byte, table *[256]uint64, blocks, first int) int
//
// A byte of bits has an entry in the table: the places of its bits that are set,
// a byte each. It is widened to eight rows, which are stored whole; the next ones
// go behind those that count.
TEXT ·onesAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ bits+8(FP), SI
	MOVQ table+16(FP), DX
	MOVQ blocks+24(FP), CX
	MOVQ first+32(FP), AX
	MOVQ DI, R8
	MOVQ AX, X0
	VPBROADCASTD X0, Y0
	MOVL $8, AX
	MOVQ AX, X2
	VPBROADCASTD X2, Y2
ones:
	MOVBLZX   (SI), AX
	VPMOVZXBD (DX)(AX*8), Y1
	VPADDD    Y0, Y1, Y1
	VMOVDQU   Y1, (DI)
	VPADDD    Y2, Y0, Y0
	POPCNTL   AX, AX
	LEAQ      (DI)(AX*4), DI
	INCQ      SI
	DECQ      CX
	JNZ       ones
	SUBQ      R8, DI
	SHRQ      $2, DI
	MOVQ      DI, ret+40(FP)
	VZEROUPPER
	RET
