using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>What one layer's update needs to know.</summary>
internal sealed record LoraSettings(int Rank, float Scale, float Dropout, LoraInit Init, bool Bias)
{
    /// <summary>Fills A <c>[rank, in]</c>.</summary>
    public void FillA(Tensor a, Tape random)
    {
        if (Init == LoraInit.Gaussian)
            random.FillNormal(a, 0, 1f / Rank);
        else
            random.FillUniform(a, -1 / MathF.Sqrt(a.Columns), 1 / MathF.Sqrt(a.Columns));
    }

    /// <summary>Fills B <c>[out, rank]</c>.</summary>
    public void FillB(Tensor b, Tape random)
    {
        if (Init == LoraInit.Random)
            random.FillUniform(b, -1 / MathF.Sqrt(b.Columns), 1 / MathF.Sqrt(b.Columns));
    }
}
