using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>What we say for each error of the reference library.</summary>
    private static readonly Dictionary<string, string> Texts = new()
    {
        ["MetadataIncompleteBuffer"] = "of the data",
        ["HeaderTooLarge"] = "the format allows 100000000",
        ["HeaderTooSmall"] = "begins with 8 bytes",
        ["InvalidHeaderLength"] = "It was cut off",
        ["InvalidHeader"] = "not UTF-8",
        ["InvalidHeaderDeserialization"] = "not valid JSON",
        ["TensorInvalidInfo"] = "its data_offsets [0, 4] give 4",
        ["ValidationOverflow"] = "overflows",
        ["InvalidOffset"] = "inside the tensor before it",
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_file_of_the_reference_librarys_tests_gives_what_it_must()
    {
        string folder = GoldenData.Path("conf-safetensors", "hf");
        JsonArray manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")))!.AsArray();
        manifest.Count.ShouldBe(17);
        foreach (JsonNode? entry in manifest)
        {
            string path = Path.Combine(folder, entry!["file"]!.GetValue<string>()), expect = entry["expect"]!.GetValue<string>();
            if (expect == "ok")
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                file.Names.All(name => file.Find(name) is not null).ShouldBeTrue(path);
            }
            else
            {
                InputException e = Should.Throw<InputException>(() => SafetensorsFile.Open(path), path);
                e.Message.ShouldStartWith(path);
                e.Message.ShouldContain(Texts[expect], Case.Sensitive, path);
            }
        }
    }

    [Fact]
    public void Names_types_shapes_and_values_of_small_files()
    {
        using SafetensorsFile ints = SafetensorsFile.Open(GoldenData.Path("conf-safetensors", "tensor-1d-int32.safetensors"));
        StoredTensor one = ints.Find(ints.Names.ShouldHaveSingleItem())!;
        one.Type.ShouldBe(DType.I32);
        one.Shape.ShouldBe([one.Elements]);
        MemoryMarshal.Cast<byte, int>(one.Bytes.Span).Length.ShouldBe((int)one.Elements);

        using SafetensorsFile doubles = SafetensorsFile.Open(GoldenData.Path("conf-safetensors", "tensor-2d-float64.safetensors"));
        doubles.Find(doubles.Names[0])!.Type.ShouldBe(DType.F64);

        using SafetensorsFile layers = SafetensorsFile.Open(GoldenData.Path("conf-safetensors", "multi_layer.safetensors"));
        layers.Names.Count.ShouldBeGreaterThan(5);
        layers.Find("no such tensor").ShouldBeNull();
        layers.Names.Sum(name => layers.Find(name)!.Bytes.Length).ShouldBeLessThan(17624);
    }

    [Fact]
    public void Bytes_after_the_last_tensor_are_refused() =>
        Should.Throw<InputException>(() => SafetensorsFile.Open(GoldenData.Path("conf-safetensors", "tiny.safetensors"))).Message.ShouldContain("but 5 more bytes follow");

    [Fact]
    public void Every_type_of_the_format_is_read()
    {
        (string Name, DType Type, int Elements, int Bytes)[] types =
        [
            ("BOOL", DType.Bool, 2, 2), ("F4", DType.F4, 4, 2), ("F6_E2M3", DType.F6E2M3, 4, 3), ("F6_E3M2", DType.F6E3M2, 8, 6), ("U8", DType.U8, 3, 3),
            ("I8", DType.I8, 3, 3), ("F8_E5M2", DType.F8E5M2, 1, 1), ("F8_E4M3", DType.F8E4M3, 1, 1), ("F8_E8M0", DType.F8E8M0, 1, 1), ("I16", DType.I16, 1, 2),
            ("U16", DType.U16, 1, 2), ("F16", DType.F16, 1, 2), ("BF16", DType.BF16, 1, 2), ("I32", DType.I32, 1, 4), ("U32", DType.U32, 1, 4), ("F32", DType.F32, 1, 4),
            ("C64", DType.C64, 1, 8), ("F64", DType.F64, 1, 8), ("I64", DType.I64, 1, 8), ("U64", DType.U64, 1, 8),
        ];
        foreach ((string name, DType type, int elements, int bytes) in types)
        {
            using SafetensorsFile file = Open($$"""{"t":{"dtype":"{{name}}","shape":[{{elements}}],"data_offsets":[0,{{bytes}}] } }""", bytes);
            file.Find("t")!.Type.ShouldBe(type);
            file.Find("t")!.Bytes.Length.ShouldBe(bytes);
        }
    }

    [Fact]
    public void Metadata_keep_their_order()
    {
        using SafetensorsFile file = Open("""{"__metadata__":{"z":"1","a":"é"},"t":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}""", 1);
        file.Metadata.ShouldBe([new("z", "1"), new("a", "é")]);
        file.Find("t")!.Elements.ShouldBe(1);
        using SafetensorsFile none = Open("""{"__metadata__":null}""", 0);
        none.Names.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""[]""", 0, "it must be an object")]
    [InlineData("""{"t":3}""", 0, "tensor \"t\": must be an object with dtype, shape and data_offsets")]
    [InlineData("""{"t":{"shape":[1],"data_offsets":[0,1]}}""", 1, "tensor \"t\": dtype is missing")]
    [InlineData("""{"t":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "tensor \"t\": shape is missing")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1]}}""", 1, "tensor \"t\": data_offsets is missing")]
    [InlineData("""{"t":{"dtype":"Q9","shape":[1],"data_offsets":[0,1]}}""", 1, "tensor \"t\": unknown dtype \"Q9\"; known are BOOL, F4")]
    [InlineData("""{"t":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "tensor \"t\": shape must be a list of whole numbers")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", 1, "tensor \"t\": shape must be a list of whole numbers")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", 1, "tensor \"t\": data_offsets must be two numbers [begin, end], found 3")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "end before they begin")]
    [InlineData("""{"t":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", 2, "3 elements of F4 do not fill whole bytes")]
    [InlineData("""{"t":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}}""", 4, "overflows 64 bits")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "leaving a hole after 0")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3, "but 2 more bytes follow")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "tensor \"t\": occurs twice in the header")]
    [InlineData("""{"t":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}""", 1, "tensor \"t\": dtype occurs twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__: the value of \"a\" must be a string")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__: must be an object of strings")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "__metadata__: \"a\" occurs twice")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    [InlineData("""{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", 1, "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "not valid JSON")]
    public void A_broken_rule_is_named(string header, int data, string problem) =>
        Should.Throw<InputException>(() => Open(header, data)).Message.ShouldContain(problem);

    [Fact]
    public void All_problems_are_told_at_once()
    {
        InputException e = Should.Throw<InputException>(() => Open("""{"a":{"dtype":"X","shape":[],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,4]},"c":1}""", 4));
        e.Problems.Count.ShouldBe(3);
    }

    [Fact]
    public void A_header_of_2_to_the_60_bytes_allocates_nothing()
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, 1UL << 60);
        string path = _folder.Write("huge.safetensors", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<InputException>(() => SafetensorsFile.Open(path));
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
    }

    [Fact]
    public void An_absent_file_says_so() =>
        Should.Throw<InputException>(() => SafetensorsFile.Open(_folder.File("absent.safetensors"))).Message.ShouldContain("there is no such file");

    private SafetensorsFile Open(string header, int data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return SafetensorsFile.Open(_folder.Write("t.safetensors", [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[data]]));
    }
}
