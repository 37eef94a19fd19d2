using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

/// <summary>Valid files are cut, flipped and overwritten in thousands of ways: each opens or is refused with words, and none costs memory or time.</summary>
public sealed class DamagedFilesTests : IDisposable
{
    private const long MostAllocated = 64 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("conf-safetensors/tensor-4d-float32.safetensors", 400)]
    [InlineData("conf-safetensors/multi_layer.safetensors", 100)]
    [InlineData("conf-safetensors/hf/json_attack_0.safetensors", 150)]
    [InlineData("conf-safetensors/tiny.gguf", 400)]
    [InlineData("conf-torch-pickle/test.pt", 400)]
    [InlineData("conf-torch-pickle/fortran_tensor_3d.pth", 150)]
    [InlineData("conf-torch-pickle/src/pytorch/tests/reader/test_data/checkpoint.pt", 300)]
    [InlineData("conf-torch-pickle/src/pytorch/tests/reader/test_data/legacy_uncloned_views.pt", 400)]
    [InlineData("conf-torch-pickle/src/pytorch/tests/reader/test_data/tar_multi_dtype.tar", 200)]
    public void Damage_is_refused_or_does_no_harm(string golden, int times) => Damage(File.ReadAllBytes(GoldenData.Path(golden.Split('/'))), times);

    [Fact]
    public void So_it_is_for_metadata_and_tensors_of_a_gguf_file() => Damage(
        new GgufBytes()
            .Pair("general.architecture", 8, "llama").Pair("general.alignment", 4, 32u).Pair("tokens", 9, 8u, 3UL, "a", "b", "c").Pair("scores", 9, 6u, 2UL, 1f, 2f)
            .Pair("nested", 9, 9u, 1UL, 5u, 2UL, 1, 2)
            .Tensor("a", 0, [4, 4], new byte[64]).Tensor("b", 2, [32, 2], new byte[36]).Tensor("c", 12, [256], new byte[144])
            .ToArray(),
        1000);

    [Fact]
    public void So_it_is_for_configuration_files_and_indices()
    {
        byte[] config = """{"a": 1e-05, "b": [NaN, -Infinity, true], "c": {"d": "\u00e9\ud83d\ude00", "e": null}, "weight_map": {"t": "one.safetensors"}}"""u8.ToArray();
        Random random = new(20240229);
        for (int i = 0; i < 3000; i++)
        {
            try
            {
                JsonConfig read = JsonConfig.Parse(Damaged(config, random), "c.json");
                read.NumberOrNull("a");
                read.TextsOrNull("b");
                read.Section("c")?.Text("d");
                // what was read can be written, and reads the same again
                string text = PythonJson.Write(read.Root, JsonStyle.ModelConfig);
                PythonJson.Write(JsonConfig.Parse(System.Text.Encoding.UTF8.GetBytes(text), "c.json").Root, JsonStyle.ModelConfig).ShouldBe(text);
            }
            catch (InputException e)
            {
                e.Message.ShouldStartWith("c.json: ");
            }
        }
    }

    private void Damage(byte[] whole, int times)
    {
        Random random = new(20240229);
        for (int i = 0; i < times; i++)
        {
            byte[] damaged = Damaged(whole, random);
            string path = _folder.Write("damaged", damaged);
            foreach (Func<string, ITensorSource> open in Openers(whole))
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    using ITensorSource source = open(path);
                    foreach (string name in source.Names)
                        Touch(source.Find(name)!);
                }
                catch (InputException e)
                {
                    e.Message.ShouldStartWith(path);
                    e.Problems.All(problem => problem.Length > 10).ShouldBeTrue(e.Message);
                }
                (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MostAllocated);
            }
        }
    }

    private static Func<string, ITensorSource>[] Openers(byte[] whole) => whole[0] switch
    {
        (byte)'G' => [GgufFile.Open],
        (byte)'P' or 0x80 or (byte)'s' => [path => TorchPickleFile.Open(path), TensorFiles.Open],
        _ => [SafetensorsFile.Open],
    };

    private static void Touch(StoredTensor tensor)
    {
        tensor.Bytes.Length.ShouldBe(Lorikeet.Kernels.DTypes.Bytes(tensor.Type, tensor.Elements));
        int sum = 0;
        foreach (byte b in tensor.Bytes.Span)
            sum += b;
        sum.ShouldBeGreaterThanOrEqualTo(0);
    }

    private static byte[] Damaged(byte[] whole, Random random)
    {
        byte[] bytes = (byte[])whole.Clone();
        // headers are short: most damage goes there
        int reach = random.Next(2) == 0 ? Math.Min(bytes.Length, 256) : bytes.Length;
        for (int strikes = 1 + random.Next(3); strikes > 0; strikes--)
        {
            int at = random.Next(reach);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.AsSpan(at, Math.Min(8, bytes.Length - at)).Fill(random.Next(2) == 0 ? (byte)0xFF : (byte)0);
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                case 4:
                    bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 9))..]];
                    break;
                default:
                    int from = random.Next(bytes.Length), length = Math.Min(random.Next(1, 32), bytes.Length - from);
                    bytes = [.. bytes[..at], .. bytes[from..(from + length)], .. bytes[at..]];
                    break;
            }
            if (bytes.Length == 0)
                break;
            reach = Math.Min(reach, bytes.Length);
        }
        return bytes;
    }
}
