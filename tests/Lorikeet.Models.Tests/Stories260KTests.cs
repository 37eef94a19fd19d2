using Lorikeet.Nn;

namespace Lorikeet.Models.Tests;

/// <summary>The same small real model as a Hugging Face folder and as GGUF files.</summary>
public class Stories260KTests
{
    [Fact]
    public void The_gguf_file_holds_the_weights_of_the_folder()
    {
        using CausalLm folder = ModelLoader.Load(GoldenData.Shared("model-stories260K-hf"));
        using CausalLm gguf = ModelLoader.Load(GoldenData.Shared("golden-stories260K", "stories260K-f32.gguf"));
        // the converter wrote the tied head a second time
        Dictionary<string, Parameter> ours = gguf.Parameters.Where(parameter => parameter.Name != "lm_head.weight").ToDictionary(parameter => parameter.Name);
        ours.Keys.ShouldBe(folder.Parameters.Select(parameter => parameter.Name), ignoreOrder: true);
        foreach (Parameter expected in folder.Parameters)
            ours[expected.Name].Value.ToSingles().SequenceEqual(expected.Value.ToSingles()).ShouldBeTrue(expected.Name);
    }
}
