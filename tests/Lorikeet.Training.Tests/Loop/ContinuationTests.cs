using Lorikeet.Models;
using Lorikeet.Nn;

namespace Lorikeet.Training.Tests;

/// <summary>Whether a base is the one that a run was begun with.</summary>
public sealed class ContinuationTests
{
    [Fact]
    public void The_first_and_the_last_value_of_every_weight_count()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        ulong before = Continuation.FingerprintOf(model);
        foreach (Parameter parameter in model.Parameters)
        {
            foreach (Index at in (Index[])[0, ^1])
            {
                float old = parameter.Value.Values[at];
                parameter.Value.Values[at] = old + 1;
                Continuation.FingerprintOf(model).ShouldNotBe(before, $"{parameter.Name}, {at}");
                parameter.Value.Values[at] = old;
            }
        }
        Continuation.FingerprintOf(model).ShouldBe(before);
    }
}
