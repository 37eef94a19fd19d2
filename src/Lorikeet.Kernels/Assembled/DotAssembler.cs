using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes dot products of weights in a block format, read as they are stored, with a few rows of 8-bit activations (AVX512-VNNI). A block is
/// unpacked once for all rows into unsigned bytes; each row's integer sums start with what the format's offset takes away, become singles and are
/// added with the product of both scales. Every dot runs in two chains, by turns of blocks, so its bits do not depend on how many rows run together.
/// </summary>
internal sealed class DotAssembler
{
    private const Register Call = Register.R11, Weights = Register.RAX, Codes = Register.RDX, Scales = Register.R8, Totals = Register.R9;
    private const Register Blocks = Register.R10, Other = Register.RCX;

    // registers above the sums of up to eight rows
    private const int Mask = 16, Shift = 17, Flip = 18, Spread = 19, Scale = 20, A = 21, B = 22, C = 23, Unpacked = 24, Dot = 25, Factor = 26, Minimum = 27;

    /// <summary>Offsets of the constants, each of 32 bytes: nibble masks, shifts, sign bits, a permutation, bit-pair masks; then room for floats.</summary>
    public const int MaskAt = 0, ShiftAt = 32, FlipAt = 64, SpreadAt = 96, PairAt = 128, RoomAt = 192;

    private readonly MachineCode _code = new(32);
    private readonly DType _type;
    private readonly int _rows;

    private DotAssembler(DType type, int rows)
    {
        _type = type;
        _rows = rows;
    }

    /// <summary>Assembles the kernel of a block format for 1 to 8 rows of activations: a function of one pointer to a <see cref="DotCall"/>.</summary>
    public static MachineCode Dots(DType type, int rows)
    {
        DotAssembler dots = new(type, rows);
        dots.Build();
        return dots._code;
    }

    /// <summary>Sums per row, one after another in memory: 8 groups of 32 for the formats of 256 weights, whose scales are handled together.</summary>
    private bool Super => _type is DType.Q4_K or DType.Q6_K;

    private void Build()
    {
        _code.Enter();
        _code.Move(Call, MachineCode.Argument);
        _code.LoadWord(Other, Call, 72);
        Load(Mask, Other, MaskAt);
        Load(Shift, Other, ShiftAt);
        Load(Flip, Other, FlipAt);
        Load(Spread, Other, SpreadAt);
        ulong row = _code.NewLabel(), many = _code.NewLabel(), few = _code.NewLabel(), end = _code.NewLabel();
        _code.Bind(row);
        _code.LoadWord(Weights, Call, 0);
        _code.LoadWord(Blocks, Call, 24);
        _code.LoadWord(Codes, Call, 32);
        _code.LoadWord(Scales, Call, 40);
        _code.LoadWord(Totals, Call, 48);
        for (int i = 0; i < 2 * _rows; i++)
            Add(Code.EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32, V(i), V(i), V(i));
        if (Super)
        {
            _code.Bind(many);
            if (_type == DType.Q4_K)
                SuperBlock4();
            else
                SuperBlock6();
            Advance(_type.BlockBytes(), 8);
            _code.Subtract(Blocks, 1);
            _code.JumpIfNotZero(many);
        }
        else
        {
            _code.Subtract(Blocks, 2);
            _code.JumpIfLess(few);
            _code.Bind(many);
            Block(0);
            Block(1);
            Advance(2 * _type.BlockBytes(), 2);
            _code.Subtract(Blocks, 2);
            _code.JumpIfNotLess(many);
            _code.Bind(few);
            _code.AddTo(Blocks, 2);
            _code.JumpIfZero(end);
            Block(0);
            _code.Bind(end);
        }
        Finish();
        // on to the next row of weights
        _code.LoadWord(Weights, Call, 8);
        Add(Instruction.Create(Code.Add_rm64_r64, At(Call, 0), Weights));
        Add(Instruction.Create(Code.Add_rm64_imm8, At(Call, 56), 4));
        Add(Instruction.Create(Code.Sub_rm64_imm8, At(Call, 16), 1));
        _code.JumpIfNotZero(row);
        _code.Leave();
    }

    private void Advance(int bytes, int groups)
    {
        _code.AddTo(Weights, bytes);
        _code.AddTo(Codes, groups * 64 * _rows);
        _code.AddTo(Scales, groups * 4 * _rows);
        if (_type == DType.Q4_K)
            _code.AddTo(Totals, groups * 4 * _rows);
    }

    /// <summary>32 weights with one scale: Q4_0 or Q8_0, and which of the two chains takes it.</summary>
    private void Block(int chain)
    {
        int at = chain * _type.BlockBytes();
        HalfToSingles(Scale, at);
        if (_type == DType.Q8_0)
        {
            // signed codes and 128: the sign bit flips
            Add(Code.EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32, V(Unpacked), V(Flip), At(Weights, at + 2));
        }
        else
        {
            Add(Instruction.Create(Code.EVEX_Vbroadcasti32x4_ymm_k1z_m128, V(Unpacked), At(Weights, at + 2)));
            Add(Code.EVEX_Vpsrlvq_ymm_k1z_ymm_ymmm256b64, V(Unpacked), V(Unpacked), V(Shift));
            Add(Code.EVEX_Vpandd_ymm_k1z_ymm_ymmm256b32, V(Unpacked), V(Unpacked), V(Mask));
        }
        for (int i = 0; i < _rows; i++)
        {
            Integers(i, chain, start: true);
            Add(Instruction.Create(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(Factor), V(Scale), Repeated(Scales, 4 * (chain * _rows + i))));
            Add(Code.EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32, V(2 * i + chain), V(Dot), V(Factor));
        }
    }

    /// <summary>256 weights of Q4_K: scales and minima of 8 groups are unpacked together.</summary>
    private void SuperBlock4()
    {
        // the lower six bits of four scales and of four minima; those of the other eight lie in nibbles and in the upper bits of the first
        _code.LoadWord(Other, Call, 72);
        Add(Instruction.Create(Code.EVEX_Vmovd_xmm_rm32, X(A), At(Weights, 4)));
        Add(Instruction.Create(Code.EVEX_Vmovd_xmm_rm32, X(B), At(Weights, 8)));
        Add(Instruction.Create(Code.EVEX_Vmovd_xmm_rm32, X(C), At(Weights, 12)));
        // upper bits move to bits 4 and 5 of each byte
        AddX(Code.EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8, Factor, A, 2);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, Factor, Factor, Other, PairAt);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, Dot, C, Mask);
        AddX(Code.EVEX_Vpord_xmm_k1z_xmm_xmmm128b32, Factor, Factor, Dot);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, A, A, Other, PairAt + 32);
        AddX(Code.EVEX_Vpunpckldq_xmm_k1z_xmm_xmmm128b32, A, A, Factor);
        AddX(Code.EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8, Factor, B, 2);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, Factor, Factor, Other, PairAt);
        AddX(Code.EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8, Dot, C, 4);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, Dot, Dot, Mask);
        AddX(Code.EVEX_Vpord_xmm_k1z_xmm_xmmm128b32, Factor, Factor, Dot);
        AddX(Code.EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, B, B, Other, PairAt + 32);
        AddX(Code.EVEX_Vpunpckldq_xmm_k1z_xmm_xmmm128b32, B, B, Factor);
        HalfToSingles(Scale, 0);
        HalfToSingles(Minimum, 2);
        Add(Instruction.Create(Code.EVEX_Vpmovzxbd_ymm_k1z_xmmm64, V(A), X(A)));
        Add(Instruction.Create(Code.EVEX_Vpmovzxbd_ymm_k1z_xmmm64, V(B), X(B)));
        Add(Instruction.Create(Code.EVEX_Vcvtdq2ps_ymm_k1z_ymmm256b32, V(A), V(A)));
        Add(Instruction.Create(Code.EVEX_Vcvtdq2ps_ymm_k1z_ymmm256b32, V(B), V(B)));
        Add(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(Scale), V(Scale), V(A));
        Add(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(Minimum), V(Minimum), V(B));
        for (int i = 0; i < _rows; i++)
        {
            Add(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(Factor), V(Scale), At(Scales, 32 * i));
            Add(Instruction.Create(Code.EVEX_Vmovups_ymmm256_k1z_ymm, At(Other, RoomAt + 32 * i), V(Factor)));
            Add(Code.EVEX_Vfnmadd231ps_ymm_k1z_ymm_ymmm256b32, V(2 * i), V(Minimum), At(Totals, 32 * i));
        }
        for (int pair = 0; pair < 4; pair++)
        {
            Load(A, Weights, 16 + 32 * pair);
            for (int half = 0; half < 2; half++)
            {
                if (half == 1)
                    Add(Instruction.Create(Code.EVEX_Vpsrlw_ymm_k1z_ymmm256_imm8, V(A), V(A), 4));
                Add(Code.EVEX_Vpandd_ymm_k1z_ymm_ymmm256b32, V(Unpacked), V(A), V(Mask));
                int group = 2 * pair + half;
                for (int i = 0; i < _rows; i++)
                {
                    Integers(i, group, start: false);
                    Add(Instruction.Create(Code.EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32, V(2 * i + half), V(Dot), Repeated(Other, RoomAt + 32 * i + 4 * group)));
                }
            }
        }
    }

    /// <summary>256 weights of Q6_K: scales of 16 groups of 16.</summary>
    private void SuperBlock6()
    {
        _code.LoadWord(Other, Call, 72);
        HalfToSingles(Scale, 208);
        for (int half = 0; half < 2; half++)
        {
            Add(Instruction.Create(Code.EVEX_Vpmovsxbd_ymm_k1z_xmmm64, V(A), At(Weights, 192 + 8 * half)));
            Add(Instruction.Create(Code.EVEX_Vcvtdq2ps_ymm_k1z_ymmm256b32, V(A), V(A)));
            Add(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(A), V(A), V(Scale));
            Add(Instruction.Create(Code.EVEX_Vmovups_ymmm256_k1z_ymm, At(Other, RoomAt + 32 * half), V(A)));
        }
        for (int half = 0; half < 2; half++)
        {
            Load(A, Weights, 64 * half);
            Load(B, Weights, 64 * half + 32);
            Load(C, Weights, 128 + 32 * half);
            for (int quarter = 0; quarter < 4; quarter++)
            {
                int nibbles = quarter % 2 == 0 ? A : B, group = 4 * half + quarter;
                // two upper bits to bits 4 and 5
                switch (quarter)
                {
                    case 0:
                        Add(Instruction.Create(Code.EVEX_Vpsllw_ymm_k1z_ymmm256_imm8, V(Unpacked), V(C), 4));
                        break;
                    case 1:
                        Add(Instruction.Create(Code.EVEX_Vpsllw_ymm_k1z_ymmm256_imm8, V(Unpacked), V(C), 2));
                        break;
                    case 2:
                        Add(Instruction.Create(Code.EVEX_Vmovups_ymm_k1z_ymmm256, V(Unpacked), V(C)));
                        Add(Instruction.Create(Code.EVEX_Vpsrlw_ymm_k1z_ymmm256_imm8, V(A), V(A), 4));
                        Add(Instruction.Create(Code.EVEX_Vpsrlw_ymm_k1z_ymmm256_imm8, V(B), V(B), 4));
                        break;
                    default:
                        Add(Instruction.Create(Code.EVEX_Vpsrlw_ymm_k1z_ymmm256_imm8, V(Unpacked), V(C), 2));
                        break;
                }
                Add(Code.EVEX_Vpandd_ymm_k1z_ymm_ymmm256b32, V(Unpacked), V(Unpacked), At(Other, PairAt));
                Add(Code.EVEX_Vpandd_ymm_k1z_ymm_ymmm256b32, V(Dot), V(nibbles), V(Mask));
                Add(Code.EVEX_Vpord_ymm_k1z_ymm_ymmm256b32, V(Unpacked), V(Unpacked), V(Dot));
                // the two scales, four times each
                Add(Instruction.Create(Code.EVEX_Vbroadcastsd_ymm_k1z_xmmm64, V(Minimum), At(Other, RoomAt + 8 * group)));
                Add(Code.EVEX_Vpermilps_ymm_k1z_ymm_ymmm256b32, V(Minimum), V(Minimum), V(Spread));
                for (int i = 0; i < _rows; i++)
                {
                    Integers(i, group, start: true);
                    Add(Instruction.Create(Code.EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32, V(Factor), V(Minimum), Repeated(Scales, 32 * i + 4 * group)));
                    Add(Code.EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32, V(2 * i + quarter % 2), V(Dot), V(Factor));
                }
            }
        }
    }

    /// <summary>The dot of the unpacked group with a row's codes, as singles.</summary>
    private void Integers(int row, int group, bool start)
    {
        int at = 64 * (group * _rows + row);
        if (start)
            Load(Dot, Codes, at + 32);
        else
            Add(Code.EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32, V(Dot), V(Dot), V(Dot));
        Add(Code.EVEX_Vpdpbusd_ymm_k1z_ymm_ymmm256b32, V(Dot), V(Unpacked), At(Codes, at));
        Add(Instruction.Create(Code.EVEX_Vcvtdq2ps_ymm_k1z_ymmm256b32, V(Dot), V(Dot)));
    }

    /// <summary>Adds up both chains and all lanes of each row.</summary>
    private void Finish()
    {
        _code.LoadWord(Codes, Call, 56);
        _code.LoadWord(Scales, Call, 64);
        for (int i = 0; i < _rows; i++)
        {
            int sum = 2 * i;
            Add(Code.EVEX_Vaddps_ymm_k1z_ymm_ymmm256b32, V(sum), V(sum), V(sum + 1));
            Add(Instruction.Create(Code.EVEX_Vextractf32x4_xmmm128_k1z_ymm_imm8, X(sum + 1), V(sum), 1));
            Add(Code.EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, X(sum), X(sum), X(sum + 1));
            Add(Instruction.Create(Code.EVEX_Vshufps_xmm_k1z_xmm_xmmm128b32_imm8, X(sum + 1), X(sum), X(sum), 0x4E));
            Add(Code.EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, X(sum), X(sum), X(sum + 1));
            Add(Instruction.Create(Code.EVEX_Vshufps_xmm_k1z_xmm_xmmm128b32_imm8, X(sum + 1), X(sum), X(sum), 0xB1));
            Add(Code.EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, X(sum), X(sum), X(sum + 1));
            Add(Instruction.Create(Code.EVEX_Vmovss_m32_k1_xmm, At(Codes, 0), X(sum)));
            _code.AddTo(Codes, Scales);
        }
    }

    /// <summary>A half-precision number of the block, repeated.</summary>
    private void HalfToSingles(int to, int at)
    {
        Add(Instruction.Create(Code.EVEX_Vpbroadcastw_xmm_k1z_xmmm16, X(to), At(Weights, at)));
        Add(Instruction.Create(Code.EVEX_Vcvtph2ps_ymm_k1z_xmmm128, V(to), X(to)));
    }

    private void Load(int to, Register address, int offset) => Add(Instruction.Create(Code.EVEX_Vmovups_ymm_k1z_ymmm256, V(to), At(address, offset)));

    private void Add(Code code, Register to, Register x, Register y) => Add(Instruction.Create(code, to, x, y));

    private void Add(Code code, Register to, Register x, MemoryOperand y) => Add(Instruction.Create(code, to, x, y));

    private void AddX(Code code, int to, int x, Register address, int offset) => Add(Instruction.Create(code, X(to), X(x), At(address, offset)));

    private void AddX(Code code, int to, int x, int y)
    {
        // the shifts take a count, everything else a register
        Add(code == Code.EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8 ? Instruction.Create(code, X(to), X(x), y) : Instruction.Create(code, X(to), X(x), X(y)));
    }

    private void Add(Instruction instruction) => _code.Add(instruction);

    private static MemoryOperand At(Register address, int offset) => new(address, offset, offset == 0 ? 0 : 8);

    private static MemoryOperand Repeated(Register address, int offset) => new(address, Register.None, 1, offset, offset == 0 ? 0 : 8, true, Register.None);

    private static Register V(int index) => Register.YMM0 + index;

    private static Register X(int index) => Register.XMM0 + index;
}
