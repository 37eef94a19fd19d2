namespace Lorikeet.Text;

/// <summary>Which script a character belongs to (Unicode Standard Annex 24).</summary>
internal static class Scripts
{
    /// <summary>The script of characters that have none, such as unassigned ones.</summary>
    public const int None = -1;

    private static readonly Lazy<Table> Loaded = new(() => new Table());

    public static int Han => NumberOf("Han");

    public static int Hiragana => NumberOf("Hiragana");

    public static int Katakana => NumberOf("Katakana");

    /// <summary>The number of a script by its Unicode name, with underscores; or <see cref="None"/>.</summary>
    public static int NumberOf(string name) => Loaded.Value.Names.IndexOf(name);

    /// <summary>The number of a character's script, or <see cref="None"/>.</summary>
    public static int Of(int character)
    {
        List<(int First, int Last, int Script)> ranges = Loaded.Value.Ranges;
        int low = 0;
        int high = ranges.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            (int first, int last, int script) = ranges[middle];
            if (character < first)
                high = middle - 1;
            else if (character > last)
                low = middle + 1;
            else
                return script;
        }
        return None;
    }

    private sealed class Table
    {
        public Table()
        {
            foreach (string[] fields in UnicodeResource.Lines("scripts.txt"))
            {
                int script = Names.IndexOf(fields[3]);
                if (script < 0)
                {
                    script = Names.Count;
                    Names.Add(fields[3]);
                }
                Ranges.Add((UnicodeResource.CodePoint(fields[1]), UnicodeResource.CodePoint(fields[2]), script));
            }
        }

        public List<string> Names { get; } = [];

        public List<(int First, int Last, int Script)> Ranges { get; } = [];
    }
}
