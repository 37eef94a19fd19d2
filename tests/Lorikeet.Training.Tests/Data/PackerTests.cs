using System.Text.Json;

namespace Lorikeet.Training.Tests;

public sealed class PackerTests
{
    [Fact]
    public void Packs_are_those_of_the_reference()
    {
        int cases = 0;
        JsonElement golden = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "packing-cases.json"))).RootElement;
        foreach (JsonElement @case in golden.GetProperty("cases").EnumerateArray())
        {
            int capacity = @case.GetProperty("seq_length").GetInt32();
            int[] lengths = [.. @case.GetProperty("lengths").EnumerateArray().Select(n => n.GetInt32())];
            PackSegment[] cut = [.. lengths.Select((length, row) => new PackSegment(row, 0, Math.Min(length, capacity)))];
            PackSegment[] split = [.. lengths.SelectMany((length, row) => Enumerable.Range(0, (length + capacity - 1) / capacity)
                .Select(part => new PackSegment(row, part * capacity, Math.Min(capacity, length - part * capacity))))];
            IReadOnlyList<IReadOnlyList<PackSegment>> packs = @case.GetProperty("strategy").GetString() switch
            {
                "bfd" => Packer.BestFitDecreasing(cut, capacity),
                "bfd_split" => Packer.BestFitDecreasing(split, capacity),
                _ => Packer.Wrapped(lengths, capacity),
            };
            packs.Select(pack => string.Join(' ', pack)).ShouldBe(
                @case.GetProperty("packs").EnumerateArray().Select(pack => string.Join(' ', pack.EnumerateArray()
                    .Select(s => new PackSegment(s[0].GetInt32(), s[1].GetInt32(), s[2].GetInt32())))),
                $"{@case.GetProperty("name")} {@case.GetProperty("strategy")}");
            cases++;
        }
        cases.ShouldBe(18);
    }

    [Fact]
    public void Nothing_is_lost_and_nothing_overflows()
    {
        Random random = new(1);
        for (int round = 0; round < 200; round++)
        {
            int capacity = random.Next(1, 300);
            PackSegment[] pieces = [.. Enumerable.Range(0, random.Next(0, 200)).Select(row => new PackSegment(row, 0, random.Next(0, capacity + 1)))];
            IReadOnlyList<IReadOnlyList<PackSegment>> packs = Packer.BestFitDecreasing(pieces, capacity);
            packs.ShouldAllBe(pack => pack.Sum(piece => piece.Count) <= capacity);
            packs.SelectMany(pack => pack).OrderBy(piece => piece.Row).ShouldBe(pieces);

            int[] lengths = [.. pieces.Select(piece => piece.Count)];
            IReadOnlyList<IReadOnlyList<PackSegment>> stream = Packer.Wrapped(lengths, capacity);
            stream.Take(Math.Max(0, stream.Count - 1)).ShouldAllBe(pack => pack.Sum(piece => piece.Count) == capacity);
            stream.SelectMany(pack => pack).GroupBy(piece => piece.Row).ShouldAllBe(row => row.Sum(piece => piece.Count) == lengths[row.Key]);
        }
    }
}
