using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Several adapters on one model, in any order.</summary>
public class AttachTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Adapters_that_bring_the_same_weight_along_leave_in_any_order(int leavesFirst, int leavesLast)
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        float[] plain = golden.Logits().Values.ToArray();
        Adapter[] adapters = [WithNorm(golden, 2), WithNorm(golden, 3)];
        float[][] alone = [.. adapters.Select(adapter => Acting(golden, adapter))];
        adapters[0].Attach();
        adapters[1].Attach();
        golden.Logits().Values.ToArray().ShouldBe(alone[1], "the last one to come acts");
        adapters[leavesFirst].Detach();
        golden.Logits().Values.ToArray().ShouldBe(alone[leavesLast]);
        adapters[leavesLast].Detach();
        golden.Logits().Values.ToArray().ShouldBe(plain);
    }

    [Fact]
    public void One_of_three_may_leave_from_between()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        float[] plain = golden.Logits().Values.ToArray();
        Adapter[] adapters = [WithNorm(golden, 2), WithNorm(golden, 3), WithNorm(golden, 4)];
        foreach (Adapter adapter in adapters)
            adapter.Attach();
        float[] last = golden.Logits().Values.ToArray();
        adapters[1].Detach();
        golden.Logits().Values.ToArray().ShouldBe(last);
        adapters[2].Detach();
        golden.Logits().Values.ToArray().ShouldBe(Acting(golden, adapters[0]));
        golden.Logits().Values.ToArray().ShouldBe(plain);
    }

    [Fact]
    public void A_second_prefix_is_refused_and_the_first_goes_on_acting()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        JsonObject options = new() { ["num_virtual_tokens"] = 3 };
        Adapter first = AdapterFile.Create(golden.Model, new PrefixTuningMethod(), options, seed: 1), second = AdapterFile.Create(golden.Model, new PrefixTuningMethod(), options, seed: 2);
        first.Attach();
        float[] alone = golden.Logits().Values.ToArray();
        Should.Throw<InputException>(second.Attach).Message.ShouldContain("prefix");
        second.Attached.ShouldBeFalse();
        golden.Model.LearnedPrefix.ShouldBe(3);
        golden.Logits().Values.ToArray().ShouldBe(alone);
        first.Detach();
        second.Attach();
        golden.Model.LearnedPrefix.ShouldBe(3);
    }

    private static float[] Acting(PeftGolden golden, Adapter adapter)
    {
        adapter.Attach();
        float[] logits = golden.Logits().Values.ToArray();
        adapter.Detach();
        return logits;
    }

    private static Adapter WithNorm(PeftGolden golden, float factor)
    {
        Adapter adapter = AdapterFile.Create(golden.Model, new LoraMethod(), new JsonObject { ["modules_to_save"] = new JsonArray("norm") });
        adapter.Parameters.Single(parameter => parameter.Name.EndsWith("norm.weight", StringComparison.Ordinal)).Value.Fill(factor);
        return adapter;
    }
}
