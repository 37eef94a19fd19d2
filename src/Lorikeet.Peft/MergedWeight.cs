using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A weight of the base that a merge has changed, and what it was before.</summary>
internal sealed class MergedWeight
{
    private readonly Tensor _former, _merged;

    /// <summary>Puts merged values into a weight.</summary>
    public MergedWeight(Parameter parameter, Tensor values)
    {
        Parameter = parameter;
        // a trained weight keeps its memory, and what is in it is overwritten
        _former = parameter.Trainable ? parameter.Value.ToF32() : parameter.Value;
        // a base that bitsandbytes quantised stays so, as in PEFT: what was merged is quantised again
        parameter.Replace(WeightStorage.IsBitsandbytes(parameter.Value.Type) ? values.To(parameter.Value.Type) : values);
        _merged = parameter.Value;
    }

    /// <summary>The weight.</summary>
    public Parameter Parameter { get; }

    /// <summary>True while nothing else has replaced it.</summary>
    public bool IsCurrent => Parameter.Value == _merged;

    /// <summary>Puts the former values back, bit for bit.</summary>
    public void Undo() => Parameter.Replace(_former);
}
