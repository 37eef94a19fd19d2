using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Random numbers of the tape's stream.</summary>
public static unsafe class RandomOp
{
    /// <summary>Fills a contiguous tensor with numbers between two bounds.</summary>
    public static void FillUniform(this Tape tape, Tensor tensor, float low, float high)
    {
        Check.F32("random numbers", tensor);
        Check.Contiguous("random numbers", tensor);
        RandomKernel.Uniform(tape.Seed, tape.Draw(tensor.Shape.Elements), tensor.F, tensor.Shape.Elements, low, high);
    }

    /// <summary>Fills a contiguous tensor with normally distributed numbers.</summary>
    public static void FillNormal(this Tape tape, Tensor tensor, float mean, float deviation)
    {
        Check.F32("random numbers", tensor);
        Check.Contiguous("random numbers", tensor);
        RandomKernel.Normal(tape.Seed, tape.Draw(tensor.Shape.Elements), tensor.F, tensor.Shape.Elements, mean, deviation);
    }
}
