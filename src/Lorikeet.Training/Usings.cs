global using static Lorikeet.Training.Cultures;
