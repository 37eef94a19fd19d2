using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>A model folder with random weights, a SentencePiece tokenizer of 512 tokens and a chat template.</summary>
internal sealed class TinyModelFolder : IDisposable
{
    /// <summary>Positions that the model sees.</summary>
    public const int Context = 256;

    private const string Template =
        "{{ bos_token }}{% for message in messages %}{{ message.role[0] }}: {{ message.content }}\\n{% endfor %}{% if add_generation_prompt %}a: {% endif %}";

    public TinyModelFolder()
    {
        Path = Directory.CreateTempSubdirectory("lorikeet-tiny-").FullName;
        using CausalLm model = ModelLoader.Load("random:tiny");
        Dictionary<string, Tensor> weights = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => Stronger(parameter.Value));
        weights["lm_head.weight"] = UpsideDown(weights["model.embed_tokens.weight"]);
        SafetensorsWriter.Write(File("model.safetensors"), weights.Select(pair =>
            new SafetensorsEntry(pair.Key, DType.F32, pair.Value.Shape.ToArray(), pair.Value.Contents.CopyTo)), SafetensorsWriter.TorchFormat);
        Write("config.json", $$"""
            {"model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8, "num_key_value_heads": 4,
             "vocab_size": 512, "max_position_embeddings": {{Context}}, "rms_norm_eps": 1e-5, "rope_theta": 100000.0, "tie_word_embeddings": false, "eos_token_id": 2}
            """);
        System.IO.File.Copy(GoldenData.Path("tokenizers", "stories260K.model"), File("tokenizer.model"));
        Write("tokenizer_config.json", $$"""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true, "chat_template": "{{Template}}"}""");
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>A file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file.</summary>
    public void Write(string name, string text) => System.IO.File.WriteAllText(File(name), text);

    // with weights as small as those of a new model, the embedding of the last token would outweigh all that the layers say
    private static Tensor Stronger(Tensor weight)
    {
        Tensor stronger = weight.ToF32();
        foreach (ref float value in stronger.Values)
            value *= weight.Shape.Rank == 2 ? 8 : 1;
        return stronger;
    }

    private static Tensor UpsideDown(Tensor table)
    {
        Tensor turned = Tensor.Create(table.Shape);
        for (int row = 0; row < table.Rows; row++)
            table.Row(row).CopyTo(turned.Row(table.Rows - 1 - row));
        return turned;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
