using Lorikeet.Nn;

namespace Lorikeet.Peft.Tests;

/// <summary>Bottleneck adapters that AdapterHub's library wrote, and what it computes with them.</summary>
public class BottleneckTests
{
    [Theory]
    [InlineData("pfeiffer")]
    [InlineData("houlsby")]
    [InlineData("parallel")]
    public void A_loaded_adapter_computes_what_the_library_computes(string name)
    {
        using PeftGolden golden = Open(name, out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        adapter.Attach();
        golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
        adapter.MergeObstacle.ShouldNotBeNull();
        adapter.Detach();
    }

    // the library's gradients cannot be compared: its loss counts padded positions, which are never computed here
    [Fact]
    public void Training_lowers_the_loss_and_touches_nothing_else()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        adapter.Attach();
        adapter.Train();
        float before = golden.LossOfNextTokens();
        golden.Model.Parameters.ShouldAllBe(parameter => parameter.Grad == null);
        foreach (Parameter parameter in adapter.Parameters)
        {
            Span<float> values = parameter.Value.Values, grads = parameter.Grad!.Values;
            for (int i = 0; i < values.Length; i++)
                values[i] -= 0.01f * grads[i];
        }
        golden.LossOfNextTokens().ShouldBeLessThan(before);
    }

    [Fact]
    public void What_is_saved_loads_again()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string saved = Path.Combine(temporary.FullName, "adapter");
            AdapterFile.Save(adapter, saved);
            Adapter again = AdapterFile.Load(golden.Model, saved);
            again.Attach();
            golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static PeftGolden Open(string name, out string folder)
    {
        folder = GoldenData.Path("adapterhub", "cases", $"llama-{name}", name);
        return new PeftGolden(GoldenData.Path("adapterhub", "base-llama"), GoldenData.Path("adapterhub", "cases", $"llama-{name}", "io.safetensors"),
            GoldenData.Path("adapterhub", "base-llama", "io.safetensors"));
    }
}
