using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Instructions in the order in which they will run, for 64-bit x86. Vector instructions are named by what they do; the register width (32 or 64
/// bytes) chooses the encoding. The code is a leaf function of one pointer: it gives back every register that a caller expects to keep.
/// </summary>
internal sealed class MachineCode(int width)
{
    private readonly List<Instruction> _instructions = [];
    private ulong _labels;
    private ulong _pending;

    /// <summary>Bytes of a vector register.</summary>
    public int Width { get; } = width;

    /// <summary>The only argument.</summary>
    public static Register Argument => OperatingSystem.IsWindows() ? Register.RCX : Register.RDI;

    private bool Is512 => Width == 64;

    /// <summary>A place to jump to.</summary>
    public ulong NewLabel() => ++_labels;

    /// <summary>The label stands before the next instruction.</summary>
    public void Bind(ulong label)
    {
        // two labels at one place would need a second address: an instruction that does nothing gives it
        if (_pending != 0)
            Add(Instruction.Create(Code.Nopd));
        _pending = label;
    }

    /// <summary>Appends any instruction.</summary>
    public void Add(Instruction instruction)
    {
        instruction.IP = _pending;
        _pending = 0;
        _instructions.Add(instruction);
    }

    /// <summary>Jumps.</summary>
    public void Jump(ulong label) => Add(Instruction.CreateBranch(Code.Jmp_rel32_64, label));

    /// <summary>Jumps where the last comparison left the zero flag clear.</summary>
    public void JumpIfNotZero(ulong label) => Add(Instruction.CreateBranch(Code.Jne_rel32_64, label));

    /// <summary>Jumps where the last comparison left the zero flag set.</summary>
    public void JumpIfZero(ulong label) => Add(Instruction.CreateBranch(Code.Je_rel32_64, label));

    /// <summary>Jumps where the last comparison or subtraction was less than zero.</summary>
    public void JumpIfLess(ulong label) => Add(Instruction.CreateBranch(Code.Jl_rel32_64, label));

    /// <summary>Jumps where the last comparison or subtraction was not less than zero.</summary>
    public void JumpIfNotLess(ulong label) => Add(Instruction.CreateBranch(Code.Jge_rel32_64, label));

    /// <summary>Jumps where the last subtraction was not greater than zero.</summary>
    public void JumpIfNotGreater(ulong label) => Add(Instruction.CreateBranch(Code.Jle_rel32_64, label));

    /// <summary>Jumps where what was tested last was greater than zero.</summary>
    public void JumpIfGreater(ulong label) => Add(Instruction.CreateBranch(Code.Jg_rel32_64, label));

    /// <summary><c>to = from</c>.</summary>
    public void Move(Register to, Register from) => Add(Instruction.Create(Code.Mov_r64_rm64, to, from));

    /// <summary><c>to = value</c>.</summary>
    public void Move(Register to, int value) => Add(Instruction.Create(Code.Mov_rm64_imm32, to, value));

    /// <summary>Reads eight bytes.</summary>
    public void LoadWord(Register to, Register address, int offset) => Add(Instruction.Create(Code.Mov_r64_rm64, to, At(address, offset)));

    /// <summary>Writes eight bytes.</summary>
    public void StoreWord(Register address, int offset, Register from) => Add(Instruction.Create(Code.Mov_rm64_r64, At(address, offset), from));

    /// <summary>No more than the eight bytes at an address, unsigned.</summary>
    public void AtMost(Register value, Register address, int offset)
    {
        Add(Instruction.Create(Code.Cmp_r64_rm64, value, At(address, offset)));
        Add(Instruction.Create(Code.Cmova_r64_rm64, value, At(address, offset)));
    }

    /// <summary>Adds eight bytes from memory.</summary>
    public void AddTo(Register to, Register address, int offset) => Add(Instruction.Create(Code.Add_r64_rm64, to, At(address, offset)));

    /// <summary><c>to += from</c>.</summary>
    public void AddTo(Register to, Register from) => Add(Instruction.Create(Code.Add_r64_rm64, to, from));

    /// <summary><c>to += value</c>.</summary>
    public void AddTo(Register to, int value) => Add(Instruction.Create(Code.Add_rm64_imm32, to, value));

    /// <summary><c>to = base + scale * index</c>.</summary>
    public void Address(Register to, Register address, Register index, int scale) =>
        Add(Instruction.Create(Code.Lea_r64_m, to, new MemoryOperand(address, index, scale)));

    /// <summary><c>to -= value</c>, and sets the flags.</summary>
    public void Subtract(Register to, int value) => Add(Instruction.Create(Code.Sub_rm64_imm32, to, value));

    /// <summary>Sets the flags by what a register holds.</summary>
    public void Test(Register register) => Add(Instruction.Create(Code.Test_rm64_r64, register, register));

    /// <summary>Asks for a line of the first cache.</summary>
    public void Prefetch(Register address, int offset) => Add(Instruction.Create(Code.Prefetcht0_m8, At(address, offset)));

    /// <summary>Asks for a line of the second cache.</summary>
    public void PrefetchSecond(Register address, int offset) => Add(Instruction.Create(Code.Prefetcht1_m8, At(address, offset)));

    /// <summary>Asks for the line of the second cache at <c>address + index + offset</c>.</summary>
    public void PrefetchSecond(Register address, Register index, int offset) =>
        Add(Instruction.Create(Code.Prefetcht1_m8, new MemoryOperand(address, index, 1, offset, offset == 0 ? 0 : 8)));

    /// <summary>All bits zero.</summary>
    public void Zero(int to)
    {
        if (Is512)
            Add(Instruction.Create(Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, V(to), V(to), V(to)));
        else
            Add(Instruction.Create(Code.VEX_Vpxor_ymm_ymm_ymmm256, V(to), V(to), V(to)));
    }

    /// <summary>Reads a whole register.</summary>
    public void Load(int to, Register address, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vmovups_zmm_k1z_zmmm512 : Code.VEX_Vmovups_ymm_ymmm256, V(to), At(address, offset)));

    /// <summary><c>to = from</c>, a whole register.</summary>
    public void Load(int to, int from) => Add(Instruction.Create(Is512 ? Code.EVEX_Vmovups_zmm_k1z_zmmm512 : Code.VEX_Vmovups_ymm_ymmm256, V(to), V(from)));

    /// <summary>Writes a whole register.</summary>
    public void Store(Register address, int offset, int from) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vmovups_zmmm512_k1z_zmm : Code.VEX_Vmovups_ymmm256_ymm, At(address, offset), V(from)));

    /// <summary>Repeats four bytes.</summary>
    public void Broadcast(int to, Register address, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32 : Code.VEX_Vbroadcastss_ymm_m32, V(to), At(address, offset)));

    /// <summary>Repeats the four bytes at <c>address + scale * index + offset</c>.</summary>
    public void Broadcast(int to, Register address, Register index, int scale, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32 : Code.VEX_Vbroadcastss_ymm_m32, V(to), new MemoryOperand(address, index, scale, offset, offset == 0 ? 0 : 8)));

    /// <summary>Singles: <c>sum += x * y</c>.</summary>
    public void MultiplyAdd(int sum, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256, V(sum), V(x), V(y)));

    /// <summary>Singles: <c>sum += x * the one at an address</c>. 512-bit registers only.</summary>
    public void MultiplyAddRepeated(int sum, int x, Register address, int offset) =>
        Add(Repeated(Instruction.Create(Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, V(sum), V(x), At(address, offset))));

    /// <summary>Singles: <c>x = x * y + memory</c>.</summary>
    public void MultiplyAdd(int x, int y, Register address, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vfmadd213ps_ymm_ymm_ymmm256, V(x), V(y), At(address, offset)));

    /// <summary>Singles: <c>sum -= x * y</c>.</summary>
    public void MultiplySubtract(int sum, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vfnmadd231ps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vfnmadd231ps_ymm_ymm_ymmm256, V(sum), V(x), V(y)));

    /// <summary>Singles: <c>to = x * y</c>.</summary>
    public void Multiply(int to, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vmulps_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Singles: <c>sum -= x * y</c> with one y of memory for every x, as one operation. 512-bit registers only.</summary>
    public void MultiplySubtractRepeated(int sum, int x, Register address, int offset) =>
        Add(Repeated(Instruction.Create(Code.EVEX_Vfnmadd231ps_zmm_k1z_zmm_zmmm512b32_er, V(sum), V(x), At(address, offset))));

    /// <summary>Singles: <c>to = x * y</c> with one y of memory for every x, as one operation. 512-bit registers only.</summary>
    public void MultiplyRepeated(int to, int x, Register address, int offset) =>
        Add(Repeated(Instruction.Create(Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, V(to), V(x), At(address, offset))));

    /// <summary>Singles: <c>to = x + y</c>.</summary>
    public void Add(int to, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vaddps_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Singles: <c>to = x + memory</c>.</summary>
    public void Add(int to, int x, Register address, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er : Code.VEX_Vaddps_ymm_ymm_ymmm256, V(to), V(x), At(address, offset)));

    /// <summary>32-bit integers to singles.</summary>
    public void ToSingle(int to, int from) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er : Code.VEX_Vcvtdq2ps_ymm_ymmm256, V(to), V(from)));

    /// <summary>Pairs of bfloat16: <c>sum += x0 * y0 + x1 * y1</c>.</summary>
    public void DotBF16(int sum, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32 : Code.EVEX_Vdpbf16ps_ymm_k1z_ymm_ymmm256b32, V(sum), V(x), V(y)));

    /// <summary>Pairs of bfloat16: <c>sum += x0 * y0 + x1 * y1</c> with the one pair y at an address. 512-bit registers only.</summary>
    public void DotBF16Repeated(int sum, int x, Register address, int offset) =>
        Add(Repeated(Instruction.Create(Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32, V(sum), V(x), At(address, offset))));

    /// <summary>Fours of bytes, x unsigned and y signed: <c>sum += x0 * y0 + x1 * y1 + x2 * y2 + x3 * y3</c>.</summary>
    public void DotBytes(int sum, int x, int y) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vpdpbusd_zmm_k1z_zmm_zmmm512b32 : Code.VEX_Vpdpbusd_ymm_ymm_ymmm256, V(sum), V(x), V(y)));

    /// <summary>The same with four signed bytes of memory for every x, as one operation. 512-bit registers only.</summary>
    public void DotBytesRepeated(int sum, int x, Register address, int offset) => Add(Repeated(Instruction.Create(Code.EVEX_Vpdpbusd_zmm_k1z_zmm_zmmm512b32, V(sum), V(x), At(address, offset))));

    /// <summary>Fours of bytes, x unsigned and y signed, in pairs: <c>to = x0 * y0 + x1 * y1</c> as 16-bit integers. 256-bit registers only.</summary>
    public void MultiplyAddBytes(int to, int x, int y) => Add(Instruction.Create(Code.VEX_Vpmaddubsw_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Pairs of 16-bit integers: <c>to = x0 * y0 + x1 * y1</c>. 256-bit registers only.</summary>
    public void MultiplyAddWords(int to, int x, int y) => Add(Instruction.Create(Code.VEX_Vpmaddwd_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>32-bit integers: <c>to = x + y</c>. 256-bit registers only.</summary>
    public void AddIntegers(int to, int x, int y) => Add(Instruction.Create(Code.VEX_Vpaddd_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Signed bytes: <c>to = |x|</c>, unsigned. 256-bit registers only.</summary>
    public void Magnitudes(int to, int x) => Add(Instruction.Create(Code.VEX_Vpabsb_ymm_ymmm256, V(to), V(x)));

    /// <summary>Signed bytes: <c>to = x * sign(y)</c>. 256-bit registers only.</summary>
    public void WithSigns(int to, int x, int y) => Add(Instruction.Create(Code.VEX_Vpsignb_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Bits: <c>to = x &amp; y</c>.</summary>
    public void And(int to, int x, int y) => Add(Is512
        ? Instruction.Create(Code.EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, V(to), V(x), V(y))
        : Instruction.Create(Code.VEX_Vpand_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Bits: <c>to = x | y</c>.</summary>
    public void Or(int to, int x, int y) => Add(Is512
        ? Instruction.Create(Code.EVEX_Vpord_zmm_k1z_zmm_zmmm512b32, V(to), V(x), V(y))
        : Instruction.Create(Code.VEX_Vpor_ymm_ymm_ymmm256, V(to), V(x), V(y)));

    /// <summary>Bits: <c>to = x ^ memory</c>.</summary>
    public void Xor(int to, int x, Register address, int offset) => Add(Is512
        ? Instruction.Create(Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, V(to), V(x), At(address, offset))
        : Instruction.Create(Code.VEX_Vpxor_ymm_ymm_ymmm256, V(to), V(x), At(address, offset)));

    /// <summary>32-bit integers: to the left, or to the right where <paramref name="by"/> is negative.</summary>
    public void Shift(int to, int x, int by) => Add(Is512
        ? Instruction.Create(by < 0 ? Code.EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8 : Code.EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, V(to), V(x), Math.Abs(by))
        : Instruction.Create(by < 0 ? Code.VEX_Vpsrld_ymm_ymm_imm8 : Code.VEX_Vpslld_ymm_ymm_imm8, V(to), V(x), Math.Abs(by)));

    /// <summary>Repeats a 32-bit constant; <paramref name="through"/> loses what it held.</summary>
    public void Repeat(int to, uint value, Register through)
    {
        Add(Instruction.Create(Code.Mov_r32_imm32, through, value));
        if (Is512)
        {
            Add(Instruction.Create(Code.EVEX_Vpbroadcastd_zmm_k1z_r32, V(to), through));
            return;
        }
        Add(Instruction.Create(Code.VEX_Vmovd_xmm_rm32, Register.XMM0 + to, through));
        Add(Instruction.Create(Code.VEX_Vpbroadcastd_ymm_xmmm32, V(to), Register.XMM0 + to));
    }

    /// <summary>Reads as many halves as a register has singles.</summary>
    public void LoadHalves(int to, Register address, int offset) =>
        Add(Instruction.Create(Is512 ? Code.EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae : Code.VEX_Vcvtph2ps_ymm_xmmm128, V(to), At(address, offset)));

    /// <summary>Reads as many bytes as a register has 32-bit integers.</summary>
    public void LoadBytes(int to, Register address, int offset, bool signed) => Add(Instruction.Create(
        signed ? Is512 ? Code.EVEX_Vpmovsxbd_zmm_k1z_xmmm128 : Code.VEX_Vpmovsxbd_ymm_xmmm64 : Is512 ? Code.EVEX_Vpmovzxbd_zmm_k1z_xmmm128 : Code.VEX_Vpmovzxbd_ymm_xmmm64,
        V(to), At(address, offset)));

    // general registers that one system's convention or another says belong to the caller, and code here uses
    private static readonly Register[] Kept = [Register.RBX, Register.RBP, Register.RSI, Register.RDI, Register.R12, Register.R13, Register.R14, Register.R15];

    /// <summary>Keeps what the system's convention says belongs to the caller.</summary>
    public void Enter()
    {
        foreach (Register register in Kept)
            Add(Instruction.Create(Code.Push_r64, register));
        if (!OperatingSystem.IsWindows())
            return;
        AddTo(Register.RSP, -SavedBytes);
        for (int i = 0; i < 10; i++)
            Add(Instruction.Create(Code.VEX_Vmovups_xmmm128_xmm, At(Register.RSP, 16 * i), Register.XMM6 + i));
    }

    /// <summary>Returns to the caller.</summary>
    public void Leave()
    {
        Add(Instruction.Create(Code.VEX_Vzeroupper));
        if (OperatingSystem.IsWindows())
        {
            for (int i = 0; i < 10; i++)
                Add(Instruction.Create(Code.VEX_Vmovups_xmm_xmmm128, Register.XMM6 + i, At(Register.RSP, 16 * i)));
            AddTo(Register.RSP, SavedBytes);
        }
        for (int i = Kept.Length - 1; i >= 0; i--)
            Add(Instruction.Create(Code.Pop_r64, Kept[i]));
        Add(Instruction.Create(Code.Retnq));
    }

    /// <summary>Encodes the code and makes it executable: where it begins.</summary>
    /// <exception cref="PlatformNotSupportedException">The system does not let this process run code of its own.</exception>
    public nint Publish()
    {
        ByteWriter bytes = new();
        if (!BlockEncoder.TryEncode(64, new InstructionBlock(bytes, _instructions, 0x10000), out string? error, out _))
            throw new InvalidOperationException(error);
        return ExecutableMemory.Publish(bytes.Written);
    }

    private const int SavedBytes = 10 * 16 + 8;

    private static MemoryOperand At(Register address, int offset) => new(address, offset, offset == 0 ? 0 : 8);

    /// <summary>The instruction repeats the four bytes that it reads.</summary>
    private static Instruction Repeated(Instruction instruction)
    {
        instruction.IsBroadcast = true;
        return instruction;
    }

    private Register V(int index) => (Is512 ? Register.ZMM0 : Register.YMM0) + index;

    private sealed class ByteWriter : CodeWriter
    {
        private readonly List<byte> _bytes = [];

        public ReadOnlySpan<byte> Written => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes);

        public override void WriteByte(byte value) => _bytes.Add(value);
    }
}
