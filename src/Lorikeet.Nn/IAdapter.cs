namespace Lorikeet.Nn;

/// <summary>
/// Something that acts at one place of a model on the place's whole computation. It may call what lies beneath it
/// (<see cref="Place{TPlace, TInput}.Beneath"/>) before, after, or not at all: so it can add to the result (LoRA), rescale it (DoRA, IA³),
/// change the input (OFT), or replace the weight. The model itself stays as it is: no module is swapped, no name changes.
/// </summary>
/// <typeparam name="TPlace">The kind of place.</typeparam>
/// <typeparam name="TInput">What the place is given.</typeparam>
public interface IAdapter<in TPlace, in TInput>
{
    /// <summary>What the place computes with this adapter on it.</summary>
    Tensors.Tensor Forward(TPlace place, TInput input, Step step);
}
