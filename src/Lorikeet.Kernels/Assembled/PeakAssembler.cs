using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>Writes loops of one instruction on registers alone: what the processor can do at best.</summary>
internal static class PeakAssembler
{
    /// <summary>Chains that do not wait for each other.</summary>
    public const int Chains = 24;

    /// <summary>A function of a pointer to the number of turns, each of one instruction in every chain, in 512-bit registers.</summary>
    public static MachineCode Loop(TileKind kind)
    {
        MachineCode code = new(64);
        ulong turn = code.NewLabel();
        code.Enter();
        code.LoadWord(Register.RAX, MachineCode.Argument, 0);
        for (int i = 0; i < Chains + 2; i++)
            code.Zero(i);
        code.Bind(turn);
        for (int i = 0; i < Chains; i++)
        {
            if (kind == TileKind.BF16)
                code.DotBF16(i, Chains, Chains + 1);
            else if (kind == TileKind.Bytes)
                code.DotBytes(i, Chains, Chains + 1);
            else
                code.MultiplyAdd(i, Chains, Chains + 1);
        }
        code.Subtract(Register.RAX, 1);
        code.JumpIfNotZero(turn);
        code.Leave();
        return code;
    }
}
