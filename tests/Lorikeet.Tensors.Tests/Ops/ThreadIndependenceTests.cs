using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Every op gives the same bits on any number of threads.</summary>
[Collection(nameof(ComputePool))]
public sealed class ThreadIndependenceTests : IDisposable
{
    private readonly int _threads = ComputePool.Threads;

    public static TheoryData<string> Names => OpCases.Names;

    public void Dispose() => ComputePool.Threads = _threads;

    [Theory]
    [MemberData(nameof(Names))]
    public void Results_do_not_depend_on_the_number_of_threads(string name)
    {
        OpCase item = OpCases.LargeOf(name);
        ComputePool.Threads = 1;
        OpResult one = new OpRun().Of(item);
        for (int threads = 2; threads <= 3; threads++)
        {
            ComputePool.Threads = threads;
            OpResult several = new OpRun().Of(item);
            several.Output.AsSpan().SequenceEqual(one.Output).ShouldBeTrue($"the output on {threads} threads");
            for (int i = 0; i < item.Inputs.Length; i++)
                several.Gradients[i].AsSpan().SequenceEqual(one.Gradients[i]).ShouldBeTrue($"the derivative of {item.Inputs[i].Name} on {threads} threads");
        }
    }
}
