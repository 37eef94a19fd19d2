using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class TorchPickleFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_type_of_element_is_read()
    {
        One<float>("float32.pt", DType.F32).ShouldBe([1f, 2.5f, -3.7f, 0f]);
        One<double>("float64.pt", DType.F64).ShouldBe([1.1, 2.2, 3.3]);
        One<Half>("float16.pt", DType.F16).ShouldBe([(Half)1.5, (Half)(-2.25), (Half)3.125]);
        One<ushort>("bfloat16.pt", DType.BF16).ShouldBe([16320, 49184, 16480]);
        One<long>("int64.pt", DType.I64).ShouldBe([100, -200, 300, 0]);
        One<int>("int32.pt", DType.I32).ShouldBe([10, 20, -30]);
        One<short>("int16.pt", DType.I16).ShouldBe([1000, -2000, 3000]);
        One<sbyte>("int8.pt", DType.I8).ShouldBe([127, -128, 0, 50]);
        One<byte>("uint8.pt", DType.U8).ShouldBe([0, 128, 255, 42]);
        One<byte>("bool.pt", DType.Bool).ShouldBe([1, 0, 1, 1, 0]);
        One<float>("special_values.pt", DType.F32).ShouldBe([float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, 1f]);
        One<float>("scalar.pt", DType.F32).ShouldBe([42f]);
        One<float>("empty.pt", DType.F32).ShouldBeEmpty();
    }

    [Fact]
    public void Dictionaries_become_names_and_what_is_no_tensor_is_kept_beside()
    {
        using TorchPickleFile file = TorchPickleFile.Open(Burn("checkpoint.pt"));
        file.Names.ShouldBe([
            "model_state_dict.fc1.weight", "model_state_dict.fc1.bias", "model_state_dict.fc2.weight", "model_state_dict.fc2.bias",
            "optimizer_state_dict.state.0.momentum_buffer",
        ]);
        file.Find("model_state_dict.fc2.weight")!.Shape.ShouldBe([3, 10]);
        Floats(file, "model_state_dict.fc2.bias").ShouldBe([1.4371334f, -0.44006175f, 0.49959478f]);
        file.Values.ShouldBe([new("epoch", 42L), new("loss", 0.123)]);
        file.Find("absent").ShouldBeNull();
    }

    [Fact]
    public void A_part_can_be_opened_by_its_key()
    {
        using TorchPickleFile file = TorchPickleFile.Open(Candle("test_with_key.pt"), "model_state_dict");
        file.Names.ShouldBe(["test"]);
        MemoryMarshal.Cast<byte, long>(file.Find("test")!.Bytes.Span).ToArray().ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);
        Should.Throw<InputException>(() => TorchPickleFile.Open(Candle("test_with_key.pt"), "weights")).Message.ShouldContain("has no \"weights\" at its top; it has model_state_dict");
    }

    [Fact]
    public void Settings_beside_the_weights_are_flattened_too()
    {
        using TorchPickleFile file = TorchPickleFile.Open(GoldenData.Path("conf-torch-pickle", "pytorch-tests", "tests", "config", "weights_with_config.pt"));
        file.Values["my_config.some_str"].ShouldBe("hello");
        file.Values["my_config.some_bool"].ShouldBe(true);
        file.Values["my_config.some_list_float.1"].ShouldBe(0.2);
        file.Find("my_model.fc2.weight")!.Shape.ShouldBe([4, 3]);
    }

    [Fact]
    public void A_tensor_in_fortran_order_is_given_row_major()
    {
        using TorchPickleFile file = TorchPickleFile.Open(Candle("fortran_tensor_3d.pth"));
        StoredTensor tensor = file.Find("tensor_fortran")!;
        tensor.Shape.ShouldBe([2, 3, 4]);
        MemoryMarshal.Cast<byte, long>(tensor.Bytes.Span).ToArray().ShouldBe(Enumerable.Range(1, 24).Select(i => (long)i));
        file.Find("tensor_fortran").ShouldBeSameAs(tensor);
    }

    [Fact]
    public void The_layout_before_1_6_is_read_with_its_shared_storages()
    {
        using TorchPickleFile simple = TorchPickleFile.Open(Burn("simple_legacy.pt"));
        simple.Names.ShouldBe(["weight", "bias", "running_mean"]);
        Floats(simple, "weight")[..2].ShouldBe([-1.812955f, 1.1972814f]);
        Floats(simple, "bias").ShouldBe([1f, 1f]);
        using TorchPickleFile offsets = TorchPickleFile.Open(Burn("legacy_with_offsets.pt"));
        Floats(offsets, "tensor2").ShouldBe([2f, 2.1f, 2.2f, 2.3f, 2.4f]);
        using TorchPickleFile views = TorchPickleFile.Open(Burn("legacy_uncloned_views.pt"));
        Floats(views, "tensor1").ShouldBe([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
        Floats(views, "tensor2").ShouldBe([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
        using TorchPickleFile shared = TorchPickleFile.Open(Burn("legacy_shared_storage.pt"));
        shared.Find("view2")!.Shape.ShouldBe([20]);
    }

    [Fact]
    public void Tar_archives_of_the_first_versions_are_read()
    {
        using TorchPickleFile file = TorchPickleFile.Open(Burn("tar_multi_dtype.tar"));
        Floats(file, "float_tensor").ShouldBe([1.5f, 2.5f, 3.5f]);
        MemoryMarshal.Cast<byte, double>(file.Find("double_tensor")!.Bytes.Span).ToArray().ShouldBe([1.111, 2.222]);
        MemoryMarshal.Cast<byte, long>(file.Find("int_tensor")!.Bytes.Span).ToArray().ShouldBe([10, 20, 30, 40]);
        using TorchPickleFile matrix = TorchPickleFile.Open(Burn("tar_2d_tensor.tar"));
        matrix.Find("matrix")!.Shape.ShouldBe([3, 4]);
    }

    [Fact]
    public void Every_file_of_the_conformance_set_opens_but_the_broken_one()
    {
        int count = 0;
        string root = GoldenData.HasShared ? GoldenData.Shared("conf-torch-pickle") : GoldenData.Path("conf-torch-pickle");
        foreach (string path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
        {
            if (Path.GetExtension(path) is not (".pt" or ".pth" or ".tar"))
                continue;
            count++;
            if (Path.GetFileName(path) == "broken.pt")
            {
                Should.Throw<InputException>(() => TorchPickleFile.Open(path)).Message.ShouldContain("not a file that torch saved");
                continue;
            }
            using TorchPickleFile file = TorchPickleFile.Open(path);
            file.Names.ShouldNotBeEmpty(path);
            file.Names.Select(name => file.Find(name)!).All(tensor => tensor.Bytes.Length == tensor.Type.Bytes(tensor.Elements)).ShouldBeTrue(path);
        }
        count.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void Names_types_shapes_and_bytes_are_those_that_pythons_own_unpickler_gives()
    {
        foreach (IGrouping<string, string[]> lines in File.ReadLines(GoldenData.Path("conf-torch-pickle", "digests.txt")).Select(line => line.Split('|')).GroupBy(fields => fields[0]))
        {
            string path = GoldenData.Path("conf-torch-pickle", lines.Key);
            if (!File.Exists(path))
                path = GoldenData.HasShared ? GoldenData.Shared(lines.Key.StartsWith("golden-", StringComparison.Ordinal) ? "" : "conf-torch-pickle", lines.Key) : "";
            if (path.Length == 0)
                continue;
            using TorchPickleFile file = TorchPickleFile.Open(path);
            file.Names.Select(name => file.Find(name)!)
                .Select(tensor => $"{tensor.Name}|{tensor.Type}|{tensor.ShapeText}|{Convert.ToHexStringLower(SHA256.HashData(tensor.Bytes.Span))}")
                .ShouldBe(lines.Select(fields => string.Join('|', fields[1..])), lines.Key);
        }
    }

    [Theory]
    [InlineData("golden-adapterhub", 50)]
    [InlineData("adapter-loralib-roberta-mnli", 1)]
    [InlineData("golden-loralib", 1)]
    [InlineData("golden-medusa", 1)]
    public void Adapters_and_heads_of_other_libraries_open(string set, int least)
    {
        int count = 0;
        foreach (string path in Directory.EnumerateFiles(GoldenData.Shared(set), "*", SearchOption.AllDirectories))
        {
            if (Path.GetExtension(path) is not (".bin" or ".pt"))
                continue;
            using TorchPickleFile file = TorchPickleFile.Open(path);
            file.Names.All(name => file.Find(name) is not null).ShouldBeTrue(path);
            count++;
        }
        count.ShouldBeGreaterThanOrEqualTo(least);
    }

    [Theory]
    [InlineData("os\nsystem", "os.system")]
    [InlineData("builtins\neval", "builtins.eval")]
    [InlineData("__builtin__\nexec", "builtins.exec")]
    [InlineData("torch.storage\n_load_from_bytes", "torch.storage._load_from_bytes")]
    [InlineData("numpy.core.multiarray\n_reconstruct", "numpy.core.multiarray._reconstruct")]
    [InlineData("torch\nload", "torch.load")]
    public void A_pickle_that_tries_to_run_code_is_refused_by_the_name_it_uses(string global, string name)
    {
        string path = _folder.Write("evil.bin", PickleBytes.Zip(PickleBytes.Pickle($"c{global}\n(", PickleBytes.Text("echo harm"), "tR")));
        InputException e = Should.Throw<InputException>(() => TorchPickleFile.Open(path));
        e.Message.ShouldStartWith(path);
        e.Message.ShouldContain($"it refers to {name}, which a file of tensors does not need");
        e.Message.ShouldContain("nothing was run");
    }

    [Fact]
    public void Names_on_the_stack_and_other_ways_to_build_objects_are_refused_too()
    {
        Refused(PickleBytes.Pickle(PickleBytes.Text("os"), PickleBytes.Text("system"), new byte[] { 0x93 }, "(", PickleBytes.Text("x"), "tR"), "os.system");
        Refused(PickleBytes.Pickle("(ios\nsystem\n"), "nothing was run");
        Refused(PickleBytes.Pickle("(cos\nsystem\no"), "os.system");
        Refused(PickleBytes.Pickle(new byte[] { 0x82, 1 }), "nothing was run");
        Refused(PickleBytes.Pickle("ctorch\nSize\n}b"), "sets attributes");
        Refused(PickleBytes.Pickle(PickleBytes.Text("name"), ")R"), "calls something that is not a name");
        Refused(PickleBytes.Pickle("cbuiltins\nint\n", PickleBytes.Tuple(3), "R"), "it calls builtins.int with arguments");
    }

    [Fact]
    public void Tensors_must_lie_in_their_storages()
    {
        byte[] twelve = new byte[12];
        Refused(Lone(3, 0, [4], [1]), "tensor tensor: reaches element 3 of a storage of 3", twelve);
        Refused(Lone(3, 3, [1], [1]), "reaches element 3", twelve);
        Refused(Lone(3, -1, [1], [1]), "negative", twelve);
        Refused(Lone(3, 0, [2], [-1]), "negative", twelve);
        Refused(Lone(3, 0, [2, 2], [1]), "has 2 sizes but 1 strides", twelve);
        Refused(Lone(3, 0, [1L << 40, 1L << 40], [0, 0]), "overflow", twelve);
        Refused(Lone(3, 0, [1L << 40], [0]), "expands 3 stored elements to 1099511627776", twelve);
        Refused(Lone(3, 0, [2, 2], [long.MaxValue, 1]), "overflow", twelve);
        Refused(Lone(4, 0, [4], [1]), "its storage 0 has 12 bytes, expected 16", twelve);
        Refused(Lone(-1, 0, [0], [1]), "claims -1 elements", twelve);
        Refused(Lone(1L << 61, 0, [1], [1]), "claims 2305843009213693952 elements", twelve);
        Refused(Lone(3, 0, [3], [1]), "its member archive/data/0 is missing");
        Refused(PickleBytes.Pickle(PickleBytes.Tensor("QInt8Storage", "0", 3, 0, [3], [1])), "torch.QInt8Storage", twelve);
    }

    [Fact]
    public void Views_rows_and_expansions_are_read_row_major()
    {
        byte[] storage = MemoryMarshal.AsBytes<float>([0f, 1f, 2f, 3f, 4f, 5f]).ToArray();
        Values(Lone(6, 0, [2, 3], [3, 1]), storage).ShouldBe([0, 1, 2, 3, 4, 5]);
        Values(Lone(6, 0, [3, 2], [1, 3]), storage).ShouldBe([0, 3, 1, 4, 2, 5]);
        Values(Lone(6, 1, [2, 2], [3, 1]), storage).ShouldBe([1, 2, 4, 5]);
        Values(Lone(6, 2, [3, 1], [1, 77]), storage).ShouldBe([2, 3, 4]);
        Values(Lone(6, 5, [4], [0]), storage).ShouldBe([5, 5, 5, 5]);
        Values(Lone(6, 0, [2, 0], [1, 1]), storage).ShouldBeEmpty();
        Values(Lone(6, 3, [], []), storage).ShouldBe([3]);
        Values(Lone(6, 0, [2, 1, 3], [1, 9, 2]), storage).ShouldBe([0, 2, 4, 1, 3, 5]);
    }

    [Fact]
    public void Nesting_without_end_and_doubling_lists_are_refused()
    {
        // a list that holds itself
        Refused(PickleBytes.Pickle("]q\x01h\x01" + "a"), "nested far more than tensors need");
        // each list holds the one before twice: 2 to the 60 leaves in 400 bytes
        List<object> bomb = ["Nq\x00"];
        for (int i = 0; i < 60; i++)
            bomb.AddRange(["0](", new byte[] { (byte)'h', (byte)i, (byte)'h', (byte)i, (byte)'e', (byte)'q', (byte)(i + 1) }]);
        Refused(PickleBytes.Pickle([.. bomb]), "nested far more than tensors need");
    }

    [Fact]
    public void Damaged_archives_are_refused()
    {
        byte[] good = PickleBytes.Zip(PickleBytes.Pickle(Lone(3, 0, [3], [1])), new byte[12]);
        Bad(good[..^30], "no directory at its end: it was cut off");
        Bad([.. "PK\x03\x04"u8, .. new byte[100]], "no directory at its end");
        Bad([0x80, 2, (byte)'N', (byte)'.'], "a pickle, but not one that torch saved");
        Bad([], "it is not a file that torch saved");
        MemoryStream stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
            PickleBytes.Add(archive, "archive/data.pkl", new byte[1000], CompressionLevel.Optimal);
        Bad(stream.ToArray(), "is compressed or encrypted");
        stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
            PickleBytes.Add(archive, "readme", [1]);
        Bad(stream.ToArray(), "a zip archive without data.pkl");
    }

    private static byte[] Lone(long elements, long offset, long[] sizes, long[] strides) => PickleBytes.Tensor("FloatStorage", "0", elements, offset, sizes, strides);

    private float[] Values(byte[] tensor, byte[] storage)
    {
        using TorchPickleFile file = TorchPickleFile.Open(_folder.Write("t.bin", PickleBytes.Zip(PickleBytes.Pickle(tensor), storage)));
        return Floats(file, "tensor");
    }

    private void Refused(byte[] pickle, string problem, params byte[][] storages) =>
        Bad(PickleBytes.Zip(pickle[0] == 0x80 ? pickle : PickleBytes.Pickle(pickle), storages), problem);

    private void Bad(byte[] bytes, string problem)
    {
        string path = _folder.Write("t.bin", bytes);
        InputException e = Should.Throw<InputException>(() => TorchPickleFile.Open(path));
        e.Message.ShouldStartWith(path);
        e.Message.ShouldContain(problem);
    }

    private static T[] One<T>(string name, DType type)
        where T : unmanaged
    {
        using TorchPickleFile file = TorchPickleFile.Open(Burn(name));
        StoredTensor tensor = file.Find(file.Names.ShouldHaveSingleItem())!;
        tensor.Type.ShouldBe(type);
        return MemoryMarshal.Cast<byte, T>(tensor.Bytes.Span).ToArray();
    }

    private static float[] Floats(TorchPickleFile file, string name) => MemoryMarshal.Cast<byte, float>(file.Find(name)!.Bytes.Span).ToArray();

    private static string Burn(string name) => GoldenData.Path("conf-torch-pickle", "src", "pytorch", "tests", "reader", "test_data", name);

    private static string Candle(string name) => GoldenData.Path("conf-torch-pickle", name);
}
